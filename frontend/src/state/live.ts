import { useEffect, useSyncExternalStore } from "react";

import { Feed, type FeedEvent, type FeedStatus } from "../server/feed";
import type { StudyDetail } from "../server/types";
import { queryClient, studyQuery } from "./queries";

export const feed = new Feed();

globalThis.addEventListener?.("online", () => feed.reconnectNow());
globalThis.addEventListener?.("offline", () => feed.checkNow());

/** A busy site changes many rows a second; the worklist is fetched again no more often than this. */
const WORKLIST_REFRESH_MS = 1_000;

const FINISHED: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

export function useFeedStatus(): FeedStatus {
  return useSyncExternalStore((listener) => feed.onStatus(listener), () => feed.status);
}

/** The worklist and its counts follow the server while the component is shown. */
export function useLiveWorklist(): void {
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      waiting = undefined;
      void queryClient.invalidateQueries({ queryKey: ["studies"] });
    };
    const unsubscribe = feed.subscribe({ topic: "worklist" }, () => (waiting ??= setTimeout(refresh, WORKLIST_REFRESH_MS)));
    return () => {
      clearTimeout(waiting);
      unsubscribe();
    };
  }, []);
}

/** One study follows the server: its state, its job's progress, its newest annotation. */
export function useLiveStudy(id: string): void {
  useEffect(() => feed.subscribe({ topic: "study", study: id }, (event) => applyToStudy(id, event)), [id]);
}

function applyToStudy(id: string, event: FeedEvent): void {
  if (event.type === "presence.changed" || event.type === "draft.changed") return;
  if (event.type === "registration.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["registration", id] });
  if (event.type === "registration.changed") return;
  if (event.type === "enhancement.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["enhancement", id] });
  if (event.type === "enhancement.changed") return;
  if (event.type === "transfer.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["transfers"] });
  if (event.type === "transfer.changed") return;
  if (event.type === "fetch.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["fetches", "prior_of", id] });
  if (event.type === "fetch.changed" && event.state !== "done") return;
  if (event.type === "comment.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["comments", id] });
  if (event.type === "comment.changed") return;
  if (event.type === "job.progress" && !FINISHED.has(event.state) && showProgress(id, event)) return;
  if (event.type === "annotation.changed" || event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["annotation"] });
  // The regions of a version's lesions come some seconds after it.
  if (event.type === "annotation.changed") void queryClient.invalidateQueries({ queryKey: ["lesions", event.annotation] });
  if (event.type === "caught_up") void queryClient.invalidateQueries({ queryKey: ["lesions"] });
  // A mask never changes, so nothing else asks again for one that could not be fetched meanwhile.
  if (event.type === "caught_up") void queryClient.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" });
  void queryClient.invalidateQueries({ queryKey: ["study", id] });
  void queryClient.invalidateQueries({ queryKey: ["double-readings"] });
  void queryClient.invalidateQueries({ queryKey: ["patient"] });
}

/** Writes progress into the job that is shown; false when another job is shown, which only a fetch can tell. */
function showProgress(id: string, event: Extract<FeedEvent, { type: "job.progress" }>): boolean {
  const shown = queryClient.getQueryData(studyQuery(id).queryKey);
  if (shown?.job?.id !== event.job) return false;
  const job = { ...shown.job, state: event.state, stage: event.stage, progress: event.progress };
  queryClient.setQueryData<StudyDetail>(["study", id], { ...shown, job, state: event.state === "running" ? "running" : shown.state });
  return true;
}
