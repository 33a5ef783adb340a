import { queryOptions } from "@tanstack/react-query";

import { fetchFetches, searchNode, type Fetch, type FetchState, type StudyQuery } from "../server/fetches";
import { queryClient } from "./queries";

const REFRESH_MS = 2_000;
const MOST_LISTED = 200;

const OPEN: ReadonlySet<FetchState> = new Set(["queued", "fetching", "failed"]);

/** Whether the server goes on with it by itself. */
export function isOpen({ state }: Pick<Fetch, "state">): boolean {
  return OPEN.has(state);
}

export const NODE_SEARCH = "node-search";

/** What a node answers to the search of that number: asked once, since each search is on record, and kept by nobody. */
export const nodeSearchQuery = (node: string, number: number, query: StudyQuery) =>
  queryOptions({
    queryKey: [NODE_SEARCH, node, number],
    queryFn: () => searchNode(node, query),
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });

/** The newest fetches of a node, fetched again while one of them is on its way. */
export const fetchesQuery = (node: string) =>
  queryOptions({
    queryKey: ["fetches", node],
    queryFn: async () => (await fetchFetches({ node, page_size: MOST_LISTED })).results,
    refetchInterval: ({ state }) => (state.data?.some(isOpen) ? REFRESH_MS : false),
    enabled: node !== "",
  });

/** The fetches of a study's priors; the feed tells when one changes. */
export const priorFetchesQuery = (study: string) =>
  queryOptions({
    queryKey: ["fetches", "prior_of", study],
    queryFn: async () => (await fetchFetches({ prior_of: study, page_size: MOST_LISTED })).results,
    enabled: study !== "",
  });

/** The newest fetch of a study, or nothing when it was never fetched; `fetches` are newest first. */
export function fetchOf(fetches: readonly Fetch[], uid: string): Fetch | undefined {
  return fetches.find(({ study_instance_uid }) => study_instance_uid === uid);
}

export function refreshFetches(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["fetches"] });
}
