import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { useEffect } from "react";

import {
  fetchAllEvaluations, fetchDifference, fetchEvaluations, fetchExclusions, fetchLog, fetchPoints, fetchRun, fetchRuns, fetchSamples, fetchSnapshots,
  fetchVerdict, inspectRun, type Recipe, type RunPoint, type TrainingRun,
} from "../server/training";
import { fetchFirings, fetchSchedules } from "../server/schedules";
import { feed } from "./live";
import { modelsQuery, queryClient } from "./queries";

export const snapshotsQuery = queryOptions({ queryKey: ["snapshots"], queryFn: fetchSnapshots });

export const differenceQuery = (snapshot: string, older: string) =>
  queryOptions({ queryKey: ["snapshots", snapshot, "difference", older], queryFn: () => fetchDifference(snapshot, older) });

export const exclusionsQuery = (snapshot: string) =>
  queryOptions({ queryKey: ["snapshots", snapshot, "exclusions"], queryFn: () => fetchExclusions(snapshot) });

/** Room on disk and in memory change meanwhile, so nothing of it is kept. */
export const preflightQuery = (snapshot: string, recipe: Recipe) =>
  queryOptions({ queryKey: ["preflight", snapshot, recipe], queryFn: () => inspectRun(snapshot, recipe), gcTime: 0 });

export const runsQuery = queryOptions({ queryKey: ["runs"], queryFn: fetchRuns });

export const runQuery = (id: string) => queryOptions({ queryKey: ["runs", id], queryFn: () => fetchRun(id) });

/** A curve is no finer than its picture. */
const MOST_POINTS = 2_000;

/** Only the steps since those that are here: a step that is taken again after a kill is the same point. */
export const pointsQuery = ({ id, recipe: { steps = 0 } }: Pick<TrainingRun, "id" | "recipe">) =>
  queryOptions({
    queryKey: ["points", id],
    queryFn: async () => {
      const before = queryClient.getQueryData<RunPoint[]>(["points", id]) ?? [];
      const every = Math.max(1, Math.ceil(steps / MOST_POINTS));
      return [...before, ...(await fetchPoints(id, { after: before.at(-1)?.step ?? 0, every }))];
    },
  });

/** The step of a run's last validation, of which the samples are; 0 before the first. */
export function validatedStep(points: readonly RunPoint[]): number {
  return points.findLast(({ validation_dice }) => validation_dice !== null)?.step ?? 0;
}

export const samplesQuery = (run: string, step: number) =>
  queryOptions({ queryKey: ["samples", run, step], queryFn: () => fetchSamples(run), enabled: step > 0, placeholderData: keepPreviousData });

/** A line comes with each stage and validation. */
export const logQuery = ({ id, state, stage, attempts }: TrainingRun, step: number) =>
  queryOptions({ queryKey: ["log", id, state, stage, attempts, step], queryFn: () => fetchLog(id), placeholderData: keepPreviousData });

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

export function refreshRuns(): void {
  void queryClient.invalidateQueries({ queryKey: runsQuery.queryKey });
}

export function refreshModels(): void {
  void queryClient.invalidateQueries({ queryKey: modelsQuery.queryKey });
  void queryClient.invalidateQueries({ queryKey: ["verdict"] });
  void queryClient.invalidateQueries({ queryKey: ["evaluations"] });
}
