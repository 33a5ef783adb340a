import { queryOptions } from "@tanstack/react-query";
import { useEffect } from "react";

import {
  fetchAllEvaluations, fetchDifference, fetchEvaluations, fetchPoints, fetchRuns, fetchSnapshots, fetchVerdict, inspectRun, type Recipe,
} from "../server/training";
import { fetchFirings, fetchSchedules } from "../server/schedules";
import { feed } from "./live";
import { modelsQuery, queryClient } from "./queries";

export const snapshotsQuery = queryOptions({ queryKey: ["snapshots"], queryFn: fetchSnapshots });

export const differenceQuery = (snapshot: string, older: string) =>
  queryOptions({ queryKey: ["snapshots", snapshot, "difference", older], queryFn: () => fetchDifference(snapshot, older) });

/** Room on disk and in memory change meanwhile, so nothing of it is kept. */
export const preflightQuery = (snapshot: string, recipe: Recipe) =>
  queryOptions({ queryKey: ["preflight", snapshot, recipe], queryFn: () => inspectRun(snapshot, recipe), gcTime: 0 });

export const runsQuery = queryOptions({ queryKey: ["runs"], queryFn: fetchRuns });

export const pointsQuery = (run: string) => queryOptions({ queryKey: ["points", run], queryFn: () => fetchPoints(run, 0) });

export const verdictQuery = (model: string) => queryOptions({ queryKey: ["verdict", model], queryFn: () => fetchVerdict(model) });

export const evaluationsQuery = (model: string) =>
  queryOptions({ queryKey: ["evaluations", model], queryFn: () => fetchEvaluations(model) });

export const allEvaluationsQuery = queryOptions({ queryKey: ["evaluations"], queryFn: fetchAllEvaluations });

/** What the clock does has no topic of its own on the socket. */
const REFRESH_MS = 10_000;

export const schedulesQuery = queryOptions({ queryKey: ["schedules"], queryFn: fetchSchedules, refetchInterval: REFRESH_MS });

export const firingsQuery = (schedule: string) =>
  queryOptions({ queryKey: ["schedules", schedule, "firings"], queryFn: () => fetchFirings(schedule), refetchInterval: REFRESH_MS });

export function isLive({ state }: { readonly state: string }): boolean {
  return state === "queued" || state === "running";
}

export function isRetryable({ state }: { readonly state: string }): boolean {
  return state === "failed" || state === "cancelled";
}

/** Snapshots, runs with their curves, and models follow the server while the component is shown. */
export function useLiveTraining(): void {
  useEffect(
    () =>
      feed.subscribe({ topic: "training" }, (event) => {
        const isAnything = event.type === "caught_up";
        if (isAnything || event.type === "snapshot.changed") void queryClient.invalidateQueries({ queryKey: ["snapshots"] });
        if (isAnything || event.type === "run.progress") {
          void queryClient.invalidateQueries({ queryKey: ["runs"] });
          void queryClient.invalidateQueries({ queryKey: ["points"] });
        }
        if (isAnything || event.type === "model.changed") refreshModels();
      }),
    [],
  );
}

export function refreshModels(): void {
  void queryClient.invalidateQueries({ queryKey: modelsQuery.queryKey });
  void queryClient.invalidateQueries({ queryKey: ["verdict"] });
  void queryClient.invalidateQueries({ queryKey: ["evaluations"] });
}
