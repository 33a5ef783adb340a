import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchReruns, previewRerun, type Rerun, type WantedRerun } from "../server/reruns";

/** Re-runs have no topic of their own on the socket. */
const REFRESH_MS = 3_000;

export const rerunsQuery = queryOptions({
  queryKey: ["reruns"],
  queryFn: fetchReruns,
  refetchInterval: ({ state }) => (state.data?.some(isUnderway) ? REFRESH_MS : false),
});

export const previewQuery = (wanted: WantedRerun) =>
  queryOptions({ queryKey: ["reruns", "preview", wanted], queryFn: () => previewRerun(wanted), placeholderData: keepPreviousData, staleTime: 0 });

export function isUnderway({ standing }: Pick<Rerun, "standing">): boolean {
  return standing.waiting + standing.queued + standing.running > 0;
}

/** How many studies it is about, and how many of them are done with, in whichever way. */
export function progressOf({ standing }: Pick<Rerun, "standing">): { readonly done: number; readonly of: number } {
  const left = standing.waiting + standing.queued + standing.running;
  const done = standing.succeeded + standing.failed + standing.cancelled + standing.refused;
  return { done, of: done + left };
}
