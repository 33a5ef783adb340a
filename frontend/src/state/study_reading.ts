import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";

import { isSameShape, type LabelVolume } from "../geometry/labels";
import type { DicomJson } from "../server/pixel_format";
import { ProblemError } from "../server/problem";
import type { Annotation, Lesion, SliceStack, StudyDetail } from "../server/types";
import { firstSeriesOf, startSliceOf } from "./first_view";
import { annotationQuery, attributesQuery, brainMaskQuery, lesionsQuery, maskQuery, slicesQuery, studyQuery } from "./queries";
import { useReading } from "./reading";

/** Everything that the study page shows, fetched side by side and followed as it changes. */
export interface StudyReading {
  readonly study: UseQueryResult<StudyDetail>;
  readonly shownSeries: string | null;
  readonly slices: UseQueryResult<SliceStack>;
  readonly attributes: UseQueryResult<Map<string, DicomJson>>;
  /** Null until it is known where the annotation's lesions are, or that there is none; then it stays. */
  readonly startSlice: number | null;
  readonly annotation: Annotation | null;
  readonly lesions: readonly Lesion[] | null;
  /** Masks lie on the grid of the series that was read; on another series they are not shown. */
  readonly isOverlayOnScreen: boolean;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  /** Why there are no marks on the slices, and why nothing is listed beside them; null while they are here or on their way. */
  readonly marksError: Error | null;
  readonly resultError: Error | null;
  /** Asks again for what did not come of the result. */
  retryResult(): void;
}

/** @param chosenSeries the series that the reader asked for; null shows the one that was read. */
export function useStudyReading(id: string, chosenSeries: string | null): StudyReading {
  const study = useQuery(studyQuery(id));
  const summary = study.data?.annotation ?? null;
  const shownSeries = chosenSeries ?? (study.data ? firstSeriesOf(study.data) : null);
  const series = study.data?.series.find((candidate) => candidate.id === shownSeries);

  const slices = useQuery({ ...slicesQuery(shownSeries ?? ""), enabled: shownSeries !== null });
  const address = { study_instance_uid: study.data?.study_instance_uid ?? "", series_instance_uid: series?.series_instance_uid ?? "" };
  const attributes = useQuery({ ...attributesQuery(address), enabled: series !== undefined });
  const annotation = useQuery({ ...annotationQuery(summary?.id ?? ""), enabled: summary !== null });
  const lesions = useQuery({ ...lesionsQuery(summary?.id ?? ""), enabled: summary !== null });

  const isOverlayOnScreen = summary !== null && summary.series === shownSeries;
  const mask = useQuery({ ...maskQuery(summary?.id ?? ""), enabled: isOverlayOnScreen });
  const brain = useBrain(isOverlayOnScreen ? summary.id : null, slices.data);
  const isAnnotationAwaited = isOverlayOnScreen && annotation.isPending;
  const startSlice = slices.data && !isAnnotationAwaited ? startSliceOf(slices.data, isOverlayOnScreen ? annotation.data : undefined) : null;
  return {
    study, shownSeries, slices, attributes, isOverlayOnScreen,
    startSlice: useFirstOf(shownSeries, startSlice),
    annotation: annotation.data ?? null,
    lesions: lesions.data ?? null,
    labels: isOverlayOnScreen ? onGrid(mask.data, slices.data) : null,
    brain,
    marksError: isOverlayOnScreen ? errorOf(mask) : null,
    resultError: summary && (errorOf(annotation) ?? errorOf(lesions)),
    retryResult: () => [mask, annotation, lesions].filter(errorOf).forEach(({ refetch }) => void refetch()),
  };
}

/**
 * Nothing is wrong with what is here already, should it be fetched again in vain. What is late since the server asks to wait is told like
 * what did not come: slices without their marks must not look like slices that have none.
 */
export function errorOf({ data, error, failureReason }: UseQueryResult<unknown>): Error | null {
  if (data !== undefined) return null;
  return error ?? (failureReason instanceof ProblemError && failureReason.waitS !== null ? failureReason : null);
}

/** What was known first of a series: a version that comes while somebody reads neither takes the slices away nor scrolls them. */
function useFirstOf(series: string | null, startSlice: number | null): number | null {
  const [first, setFirst] = useState<{ series: string; startSlice: number } | null>(null);
  if (first && first.series === series) return first.startSlice;
  if (series !== null && startSlice !== null) setFirst({ series, startSlice });
  return startSlice;
}

/** The brain as a version outlines it, where that lies on the grid of the slices and is to be seen. */
export function useBrain(annotation: string | null, slices: SliceStack | undefined): LabelVolume | null {
  const isBrainShown = useReading((reading) => reading.overlay.isBrainShown);
  const brain = useQuery({ ...brainMaskQuery(annotation ?? ""), enabled: annotation !== null && isBrainShown });
  return annotation === null ? null : onGrid(brain.data, slices);
}

/** Labels as far as they lie on the grid of the slices. */
export function onGrid(labels: LabelVolume | undefined, slices: SliceStack | undefined): LabelVolume | null {
  return labels && slices && isSameShape(labels.shape, slices.shape) ? labels : null;
}
