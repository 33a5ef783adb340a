import { keepPreviousData, MutationCache, QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";

import { fetchSeriesAttributes } from "../server/dicomweb";
import {
  fetchAnnotation, fetchBrainMask, fetchJobs, fetchLesions, fetchMask, fetchModels, fetchPatient, fetchProtocol, fetchSameSlices, fetchSlices,
  fetchStudies, fetchStudy, fetchSummary, fetchTimeline,
} from "../server/endpoints";
import { fetchDoubleReadings, type DoubleReadingFilter } from "../server/double_readings";
import { isPassing, ProblemError } from "../server/problem";
import { fetchPreferences, fetchReaders } from "../server/queue";
import { fetchComments, fetchVersions } from "../server/review";
import { fetchMe, fetchSignIn } from "../server/session";
import type { JobFilter, SliceStack, StudyFilter, Visit } from "../server/types";

const UNAUTHENTICATED = 401;
const MOST_RETRIES = 2;

function isSignedOut(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === UNAUTHENTICATED || error.code === "second_factor_needed");
}

/** A session that ended while reading, or may open nothing more, sends the page to sign-in or account, whichever request finds out. */
function noticeSignedOut(error: unknown): void {
  if (isSignedOut(error)) void queryClient.invalidateQueries({ queryKey: ["me"] });
}

/** The answer to what is asked beside the queries; a refusal for a session that ended sends the page to sign-in as well. */
export async function noticed<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    noticeSignedOut(error);
    throw error;
  }
}

function isWorthRetrying(failures: number, error: unknown): boolean {
  return (!(error instanceof ProblemError) || isPassing(error)) && failures < MOST_RETRIES;
}

/** As long as the server asks for; otherwise one second, then two. */
function retryDelayMs(failures: number, error: unknown): number {
  const waitS = error instanceof ProblemError ? error.waitS : null;
  return 1000 * (waitS ?? 2 ** failures);
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => (query.queryKey[0] === "me" ? undefined : noticeSignedOut(error)) }),
  mutationCache: new MutationCache({ onError: noticeSignedOut }),
  defaultOptions: { queries: { retry: isWorthRetrying, retryDelay: retryDelayMs, staleTime: 30_000, refetchOnWindowFocus: false } },
});

/** The mask of a version and the slices of a series never change; its state does, and its lesions have their regions once. */
const FOREVER = { staleTime: Infinity, gcTime: 10 * 60_000 } as const;

export const signInQuery = queryOptions({ queryKey: ["sign-in"], queryFn: fetchSignIn, staleTime: Infinity });

export const meQuery = queryOptions({ queryKey: ["me"], queryFn: fetchMe, staleTime: Infinity });
export const summaryQuery = queryOptions({ queryKey: ["studies", "summary"], queryFn: fetchSummary });
export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: fetchModels });

export const studiesQuery = (filter: StudyFilter) =>
  queryOptions({ queryKey: ["studies", "list", filter], queryFn: () => fetchStudies(filter), placeholderData: keepPreviousData });

export const studyQuery = (id: string) => queryOptions({ queryKey: ["study", id], queryFn: () => fetchStudy(id) });

export const protocolQuery = (study: string, prior: string | null = null) =>
  queryOptions({ queryKey: ["study", study, "protocol", prior], queryFn: () => fetchProtocol(study, prior) });

export const patientQuery = (id: string) => queryOptions({ queryKey: ["patient", id], queryFn: () => fetchPatient(id) });

export const timelineQuery = (patient: string) =>
  queryOptions({ queryKey: ["patient", patient, "timeline"], queryFn: () => fetchTimeline(patient) });

/** Drawn anew only for other versions, or another visit that is registered: the server cuts and draws each plane. */
export const sameSlicesQuery = (patient: string, visits: readonly Pick<Visit, "annotation" | "changes">[]) =>
  queryOptions({
    queryKey: ["same-slices", patient, visits.map(({ annotation, changes }) => [annotation, changes?.prior_annotation])],
    queryFn: () => fetchSameSlices(patient),
    placeholderData: (before, query) => (query?.queryKey[1] === patient ? before : undefined),
    structuralSharing: false,
  });

export const jobsQuery = (filter: JobFilter) =>
  queryOptions({ queryKey: ["jobs", filter], queryFn: () => fetchJobs(filter), placeholderData: keepPreviousData });

export const slicesQuery = (series: string) =>
  queryOptions({ queryKey: ["slices", series], queryFn: () => fetchSlices(series), ...FOREVER });

export const attributesQuery = (series: Pick<SliceStack, "study_instance_uid" | "series_instance_uid">) =>
  queryOptions({
    queryKey: ["attributes", series.series_instance_uid],
    queryFn: () => fetchSeriesAttributes(series),
    ...FOREVER,
    structuralSharing: false,
  });

export const annotationQuery = (id: string) =>
  queryOptions({ queryKey: ["annotation", id], queryFn: () => fetchAnnotation(id), gcTime: FOREVER.gcTime });

export const lesionsQuery = (annotation: string) =>
  queryOptions({ queryKey: ["lesions", annotation], queryFn: () => fetchLesions(annotation), ...FOREVER });

export const maskQuery = (annotation: string) =>
  queryOptions({
    queryKey: ["mask", annotation],
    queryFn: ({ signal }) => fetchMask(annotation, signal),
    ...FOREVER,
    structuralSharing: false,
  });

export const brainMaskQuery = (annotation: string) =>
  queryOptions({
    queryKey: ["brain-mask", annotation],
    queryFn: ({ signal }) => fetchBrainMask(annotation, signal),
    ...FOREVER,
    structuralSharing: false,
  });

export const versionsQuery = (study: string) => queryOptions({ queryKey: ["study", study, "versions"], queryFn: () => fetchVersions(study) });

export const commentsQuery = (study: string) => queryOptions({ queryKey: ["comments", study], queryFn: () => fetchComments(study) });

export const readersQuery = queryOptions({ queryKey: ["readers"], queryFn: fetchReaders, staleTime: 5 * 60_000 });

export const preferencesQuery = queryOptions({ queryKey: ["preferences"], queryFn: fetchPreferences, staleTime: Infinity });

export const doubleReadingsQuery = (filter: DoubleReadingFilter) =>
  queryOptions({ queryKey: ["double-readings", filter], queryFn: () => fetchDoubleReadings(filter) });
