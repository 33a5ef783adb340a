import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import {
  fetchChanges, fetchProbability, fetchRegistration, requestRegistration, type Registration, type StudyChanges,
} from "../server/longitudinal";
import { queryClient } from "./queries";

/** Asked again this often while the worker is at it, should its message be lost. */
const POLL_MS = 4_000;

const isUnderway = (registration: Registration | null | undefined) => registration?.state === "queued" || registration?.state === "running";

export const registrationQuery = (study: string, prior: string) =>
  queryOptions({
    queryKey: ["registration", study, prior],
    queryFn: () => fetchRegistration(study, prior),
    refetchInterval: ({ state }) => (isUnderway(state.data) ? POLL_MS : false),
  });

export const changesQuery = (study: string, prior: string, annotation: string, priorAnnotation: string) =>
  queryOptions({
    queryKey: ["changes", study, prior, annotation, priorAnnotation],
    queryFn: () => fetchChanges(study, prior),
    staleTime: Infinity,
    retry: false,
  });

export const probabilityQuery = (annotation: string, shape: readonly number[]) =>
  queryOptions({
    queryKey: ["probability", annotation],
    queryFn: ({ signal }) => fetchProbability(annotation, shape, signal),
    staleTime: Infinity,
    gcTime: 10 * 60_000,
    structuralSharing: false,
  });

/** The registration of two studies, asked of the worker where there is none; undefined until the server answered. */
export function useRegistration(study: string, prior: string | null): Registration | null | undefined {
  const { data } = useQuery({ ...registrationQuery(study, prior ?? ""), enabled: prior !== null });
  useEffect(() => {
    if (data !== null || prior === null) return;
    requestRegistration(study, prior)
      .then((requested) => queryClient.setQueryData(registrationQuery(study, prior).queryKey, requested))
      // Who may not ask reads on without it: the pane says by what it is linked.
      .catch(() => undefined);
  }, [data, study, prior]);
  return data;
}

interface Compared {
  readonly study: string;
  readonly prior: string | null;
  readonly annotation: string | null;
  readonly priorAnnotation: string | null;
  readonly isRegistered: boolean;
}

/** What became of the lesions of a prior; null until it can be told. */
export function useChanges({ study, prior, annotation, priorAnnotation, isRegistered }: Compared): StudyChanges | null {
  const isComparable = isRegistered && prior !== null && annotation !== null && priorAnnotation !== null;
  return useQuery({ ...changesQuery(study, prior ?? "", annotation ?? "", priorAnnotation ?? ""), enabled: isComparable }).data ?? null;
}
