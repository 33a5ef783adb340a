import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { invert, point3 } from "../geometry/affine";
import { carryVoxels, paintExtents, type Extent } from "../geometry/extents";
import type { LabelVolume } from "../geometry/labels";
import type { LesionVoxels } from "../geometry/lesion_extent";
import type { Grid } from "../geometry/registration";
import type { ChangeKind, LesionChange, StudyChanges } from "../server/longitudinal";
import type { Annotation, Lesion, SliceStack, StudyDetail } from "../server/types";
import { heirsOf } from "./lesion_identity";
import { voxelsOf } from "./lesion_marks";
import { useChanges, useRegistration } from "./longitudinal";
import { usePanes } from "./panes";
import { lesionsQuery, maskQuery, slicesQuery, studyQuery } from "./queries";
import { SHOWN_KINDS, shownChanges, voxelsOfRuns, type ShownChange, type ShownKind } from "./shown_changes";

/** The value of each change in a painted mask; what matters more is drawn later. */
export const CHANGE_VALUES: Readonly<Record<ShownKind, number>> = { stable: 1, shrinking: 2, resolved: 3, enlarging: 4, new: 5, brightened: 6 };

type Prior = StudyDetail["priors"][number];

export function newestFirst(priors: readonly Prior[]): Prior[] {
  return priors.toSorted((first, second) => (second.study_date ?? "").localeCompare(first.study_date ?? ""));
}

/** The prior that is shown: the one that the reader chose, else the newest. */
export function shownPrior(priors: readonly Prior[], chosen: string | null): Prior | null {
  const ordered = newestFirst(priors);
  return ordered.find(({ id }) => id === chosen) ?? ordered[0] ?? null;
}

/**
 * What became of the prior's lesions, once both studies were read and registered and every slice is here; null until then,
 * and while what is shown, a draft from before another series was chosen, lies elsewhere than the version that was compared.
 */
export function useStudyChanges(study: StudyDetail, shown: Pick<Annotation, "series"> | null): StudyChanges | null {
  const chosen = usePanes((panes) => panes.chosenPrior);
  const isReady = usePanes((panes) => panes.areSlicesHere && panes.study === study.id) && isOfOneSeries(study, shown);
  const prior = isReady ? shownPrior(study.priors, chosen) : null;
  const registration = useRegistration(study.id, prior?.id ?? null);
  const priorStudy = useQuery({ ...studyQuery(prior?.id ?? ""), enabled: prior !== null }).data;
  return useChanges({
    study: study.id, prior: prior?.id ?? null, annotation: study.annotation?.id ?? null,
    priorAnnotation: priorStudy?.annotation?.id ?? null, isRegistered: registration?.state === "succeeded",
  });
}

/** What the server found in the study's version holds for what is shown; true where nothing is. */
export function isOfOneSeries(study: StudyDetail, shown: Pick<Annotation, "series"> | null): boolean {
  return shown === null || shown.series === study.annotation?.series;
}

/** The changes with the numbers that their lesions have on the screen: a draft numbers its lesions anew. Null until those are known. */
export function useChangesNow(changes: StudyChanges | null, shown: readonly Lesion[] | null): StudyChanges | null {
  const annotation = changes?.annotation ?? null;
  const compared = useQuery({ ...lesionsQuery(annotation ?? ""), enabled: annotation !== null }).data;
  return useMemo(() => (changes && compared && shown ? changesNow(changes, compared, shown) : null), [changes, compared, shown]);
}

export function changesNow(changes: StudyChanges, compared: readonly Lesion[], shown: readonly Lesion[]): StudyChanges {
  if (compared === shown) return changes;
  const heirs = heirsOf(compared, shown);
  const renumbered = <Change extends { readonly lesions: readonly number[] }>(change: Change): Change => ({
    ...change, lesions: [...new Set(change.lesions.flatMap((number) => (heirs.get(number) ?? []).map((lesion) => lesion.number)))],
  });
  const { brightening } = changes;
  return {
    ...changes, changes: changes.changes.map(renumbered),
    brightening: brightening && { ...brightening, spots: brightening.spots.map(renumbered) },
  };
}

/** The change that each lesion of the study is part of, by the lesion's number. */
export function changeByLesion({ changes }: StudyChanges): ReadonlyMap<number, ChangeKind> {
  return new Map(changes.flatMap(({ lesions, change }) => lesions.map((number) => [number, change] as const)));
}

/** The change that the reader looks at: the one that was chosen, else the one of the selected lesion. */
export function shownChange(changes: StudyChanges | null, chosen: number | null, lesion: number | null): ShownChange | null {
  if (!changes) return null;
  if (chosen !== null) return shownChanges(changes)[chosen] ?? null;
  return changes.changes.find(({ lesions }) => lesion !== null && lesions.includes(lesion)) ?? null;
}

/** The changes of a kind in the order in which they are gone through, as places in the list of those shown. */
export function placesOf(changes: StudyChanges, kind: ShownKind | null): number[] {
  const kinds = kind ? [kind] : SHOWN_KINDS;
  return kinds.flatMap((wanted) => shownChanges(changes).flatMap(({ change }, place) => (change === wanted ? [place] : [])));
}

/**
 * Both studies' lesions painted by what became of them, and what became brighter; what has no lesion of its own in one of
 * the two is painted there where it had been, or was to be.
 */
export interface ChangePaintings {
  readonly current: LabelVolume;
  readonly prior: LabelVolume;
  /** The voxels of a change on the study's grid that no lesion of the study has: where it was, or where it is brighter. */
  placed(change: ShownChange): LesionVoxels;
}

interface Side {
  readonly grid: Grid;
  readonly labels: LabelVolume;
  readonly lesions: readonly Lesion[];
}

export function paintChanges(changes: StudyChanges, current: Side, prior: Side, link: readonly number[]): ChangePaintings {
  const extents = ({ labels, lesions }: Side, pick: (change: LesionChange) => readonly number[]): Extent[] =>
    changes.changes.flatMap((change) =>
      lesionsWith(lesions, pick(change)).map((lesion) => ({ value: CHANGE_VALUES[change.change], voxels: voxelsOf(labels, lesion) })),
    );
  const placed = (change: ShownChange) =>
    "runs" in change ? voxelsOfRuns(change.runs) : lesionsWith(prior.lesions, change.prior_lesions).flatMap((lesion) => carryVoxels(voxelsOf(prior.labels, lesion), prior.grid, current.grid, link));
  const extentsOf = (kind: ShownKind): Extent[] =>
    shownChanges(changes).filter(({ change }) => change === kind).map((change) => ({ value: CHANGE_VALUES[kind], voxels: placed(change) }));
  const brightened = extentsOf("brightened");
  const brightenedThere = brightened.map(({ value, voxels }) => ({ value, voxels: carryVoxels(voxels, current.grid, prior.grid, invert(link)) }));
  return {
    current: paintExtents(current.labels.shape, [...extentsOf("resolved"), ...extents(current, ({ lesions }) => lesions), ...brightened]),
    prior: paintExtents(prior.labels.shape, [...extents(prior, ({ prior_lesions }) => prior_lesions), ...brightenedThere]),
    placed,
  };
}

function lesionsWith(lesions: readonly Lesion[], numbers: readonly number[]): Lesion[] {
  return lesions.filter(({ number }) => numbers.includes(number));
}

/** The paintings of the versions that were compared, whatever a draft has changed since; null while the view is off. */
export function useChangePaintings(study: StudyDetail, changes: StudyChanges | null, slices: SliceStack): ChangePaintings | null {
  const isOn = usePanes((panes) => panes.isChangeView) && changes !== null;
  const chosen = usePanes((panes) => panes.chosenPrior);
  const prior = shownPrior(study.priors, chosen);
  const registration = useRegistration(study.id, isOn ? (prior?.id ?? null) : null);
  const priorSeries = useQuery({ ...studyQuery(prior?.id ?? ""), enabled: isOn && prior !== null }).data?.annotation?.series;
  const priorSlices = useQuery({ ...slicesQuery(priorSeries ?? ""), enabled: isOn && priorSeries !== undefined }).data;
  const own = useSide(isOn ? changes.annotation : null, slices);
  const others = useSide(isOn ? changes.prior_annotation : null, priorSlices);
  const link = registration?.matrix;
  return useMemo(() => (isOn && own && others && link ? paintChanges(changes, own, others, link) : null), [isOn, changes, own, others, link]);
}

function useSide(annotation: string | null, slices: SliceStack | undefined): Side | null {
  const labels = useQuery({ ...maskQuery(annotation ?? ""), enabled: annotation !== null }).data;
  const lesions = useQuery({ ...lesionsQuery(annotation ?? ""), enabled: annotation !== null }).data;
  return useMemo(() => {
    if (!labels || !lesions || !slices || labels.shape.some((size, axis) => size !== slices.shape[axis])) return null;
    return { labels, lesions, grid: { affine: slices.affine, shape: point3(slices.shape) } };
  }, [labels, lesions, slices]);
}
