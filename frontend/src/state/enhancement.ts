import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import { fetchEnhancement, requestEnhancement, type Enhancement } from "../server/enhancement";
import type { Annotation, Lesion, StudyDetail } from "../server/types";
import { isOfOneSeries } from "./change_view";
import { heirsOf } from "./lesion_identity";
import { usePanes } from "./panes";
import { lesionsQuery, queryClient } from "./queries";

/** Asked again this often while the worker is at it, should its message be lost. */
const POLL_MS = 4_000;

export const isUnderway = ({ state }: Enhancement) => state === "queued" || state === "running";

export const enhancementQuery = (study: string, annotation: string) =>
  queryOptions({
    queryKey: ["enhancement", study, annotation],
    queryFn: () => fetchEnhancement(study, annotation),
    refetchInterval: ({ state }) => (state.data && isUnderway(state.data) ? POLL_MS : false),
    retry: false,
  });

/**
 * What is known of uptake in the study's version, asked of the worker where nobody has; null until the server answered, and
 * while a draft of another series is shown.
 */
export function useEnhancement(study: StudyDetail, shown: Pick<Annotation, "series"> | null): Enhancement | null {
  const areSlicesHere = usePanes((panes) => panes.areSlicesHere && panes.study === study.id);
  const annotation = areSlicesHere && isOfOneSeries(study, shown) ? (study.annotation?.id ?? null) : null;
  const { data } = useQuery({ ...enhancementQuery(study.id, annotation ?? ""), enabled: annotation !== null });
  const isWanted = data?.state === null && data.reason === "";
  useEffect(() => {
    // Who may not ask reads on without it.
    if (isWanted) askEnhancement(study.id).catch(() => undefined);
  }, [isWanted, study.id]);
  return data ?? null;
}

/** Once more where it failed. */
export async function askEnhancement(study: string): Promise<void> {
  await requestEnhancement(study);
  await queryClient.invalidateQueries({ queryKey: ["enhancement", study] });
}

/** A lesion on the screen that took up contrast agent, and the slice that shows it best. */
export interface Taker {
  readonly lesion: Lesion;
  readonly sliceIndex: number;
}

/** The lesions on the screen, of the version or of a draft that began with it, that took up contrast agent. */
export function useTakers(enhancement: Enhancement | null, shown: readonly Lesion[] | null): readonly Taker[] {
  const annotation = enhancement?.annotation ?? null;
  const own = useQuery({ ...lesionsQuery(annotation ?? ""), enabled: annotation !== null }).data;
  return useMemo(() => takersAmong(enhancement, own ?? [], shown ?? []), [enhancement, own, shown]);
}

/** A draft numbers its lesions anew: one that took the agent up is known by its place. */
export function takersAmong(enhancement: Enhancement | null, own: readonly Lesion[], shown: readonly Lesion[]): Taker[] {
  if (!enhancement?.uptakes.length) return [];
  const heirs = heirsOf(own, shown);
  const found = enhancement.uptakes.flatMap(({ lesion: number, anchor: [sliceIndex] }) => (heirs.get(number) ?? []).map((lesion) => ({ lesion, sliceIndex })));
  // Of several places in one lesion the largest comes first.
  return shown.flatMap((lesion) => {
    const first = found.find((one) => one.lesion === lesion);
    return first ? [{ lesion, sliceIndex: first.sliceIndex }] : [];
  });
}
