import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchNodes, type RemoteNode } from "../server/nodes";
import { fetchTransfers, type Transfer, type TransferFilter, type TransferState } from "../server/transfers";
import { queryClient } from "./queries";

/** The socket tells of transfers only to those who look at their study. */
const REFRESH_MS = 10_000;

const UNDERWAY: ReadonlySet<TransferState> = new Set(["queued", "sending", "committing", "failed"]);

/** Whether the server goes on with it by itself. */
export function isUnderway({ state }: Pick<Transfer, "state">): boolean {
  return UNDERWAY.has(state);
}

/** Whether a person may ask for it once more: one that waits for its first attempt, or is being sent, goes on anyway. */
export function canResend({ state }: Pick<Transfer, "state">): boolean {
  return state !== "queued" && state !== "sending";
}

export const nodesQuery = queryOptions({ queryKey: ["nodes"], queryFn: fetchNodes });

/** Those of a study are fetched again while one of them is underway; a list always, since what comes to it may be in no state that it shows. */
export const transfersQuery = (filter: TransferFilter) =>
  queryOptions({
    queryKey: ["transfers", filter],
    queryFn: () => fetchTransfers(filter),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (filter.study === undefined || state.data?.results.some(isUnderway) ? REFRESH_MS : false),
  });

export function refreshTransfers(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["transfers"] });
}

/** Writes what the server answered about one node into the list that is shown. */
export function showNode(changed: RemoteNode): void {
  queryClient.setQueryData(nodesQuery.queryKey, (nodes) => nodes?.map((node) => (node.id === changed.id ? changed : node)));
}
