import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { point3 } from "../geometry/affine";
import { carryVoxels, paintExtents, type Extent } from "../geometry/extents";
import type { LabelVolume } from "../geometry/labels";
import type { LesionVoxels } from "../geometry/lesion_extent";
import type { Grid } from "../geometry/registration";
import { CHANGE_KINDS, type ChangeKind, type LesionChange, type StudyChanges } from "../server/longitudinal";
import type { Lesion, SliceStack, StudyDetail } from "../server/types";
import { voxelsOf } from "./lesion_marks";
import { useChanges, useRegistration } from "./longitudinal";
import { usePanes } from "./panes";
import { lesionsQuery, maskQuery, slicesQuery, studyQuery } from "./queries";

/** The value of each change in a painted mask; what matters more is drawn later. */
export const CHANGE_VALUES: Readonly<Record<ChangeKind, number>> = { stable: 1, shrinking: 2, resolved: 3, enlarging: 4, new: 5 };

type Prior = StudyDetail["priors"][number];

export function newestFirst(priors: readonly Prior[]): Prior[] {
  return priors.toSorted((first, second) => (second.study_date ?? "").localeCompare(first.study_date ?? ""));
}

/** The prior that is shown: the one that the reader chose, else the newest. */
export function shownPrior(priors: readonly Prior[], chosen: string | null): Prior | null {
  const ordered = newestFirst(priors);
  return ordered.find(({ id }) => id === chosen) ?? ordered[0] ?? null;
}

/** What became of the prior's lesions, once both studies were read and registered and every slice is here; null until then. */
export function useStudyChanges(study: StudyDetail): StudyChanges | null {
  const chosen = usePanes((panes) => panes.chosenPrior);
  const isReady = usePanes((panes) => panes.areSlicesHere && panes.study === study.id);
  const prior = isReady ? shownPrior(study.priors, chosen) : null;
  const registration = useRegistration(study.id, prior?.id ?? null);
  const priorStudy = useQuery({ ...studyQuery(prior?.id ?? ""), enabled: prior !== null }).data;
  return useChanges({
    study: study.id, prior: prior?.id ?? null, annotation: study.annotation?.id ?? null,
    priorAnnotation: priorStudy?.annotation?.id ?? null, isRegistered: registration?.state === "succeeded",
  });
}

/** The change that each lesion of the study is part of, by the lesion's number. */
export function changeByLesion({ changes }: StudyChanges): ReadonlyMap<number, ChangeKind> {
  return new Map(changes.flatMap(({ lesions, change }) => lesions.map((number) => [number, change] as const)));
}

/** The change that the reader looks at: the one that was chosen, else the one of the selected lesion. */
export function shownChange(changes: StudyChanges | null, chosen: number | null, lesion: number | null): LesionChange | null {
  if (!changes) return null;
  if (chosen !== null) return changes.changes[chosen] ?? null;
  return changes.changes.find(({ lesions }) => lesion !== null && lesions.includes(lesion)) ?? null;
}

/** The changes of a kind in the order in which they are gone through, as places in the server's list. */
export function placesOf({ changes }: StudyChanges, kind: ChangeKind | null): number[] {
  const kinds = kind ? [kind] : CHANGE_KINDS;
  return kinds.flatMap((wanted) => changes.flatMap(({ change }, place) => (change === wanted ? [place] : [])));
}

/** Both studies' lesions painted by what became of them; what resolved is painted in the study where it had been. */
export interface ChangePaintings {
  readonly current: LabelVolume;
  readonly prior: LabelVolume;
  /** Where the prior's lesions of a change were, on the study's grid. */
  carried(change: LesionChange): LesionVoxels;
}

interface Side {
  readonly grid: Grid;
  readonly labels: LabelVolume;
  readonly lesions: readonly Lesion[];
}

export function paintChanges({ changes }: StudyChanges, current: Side, prior: Side, link: readonly number[]): ChangePaintings {
  const extents = ({ labels, lesions }: Side, pick: (change: LesionChange) => readonly number[]): Extent[] =>
    changes.flatMap((change) =>
      lesionsWith(lesions, pick(change)).map((lesion) => ({ value: CHANGE_VALUES[change.change], voxels: voxelsOf(labels, lesion) })),
    );
  const carried = (change: LesionChange) =>
    lesionsWith(prior.lesions, change.prior_lesions).flatMap((lesion) => carryVoxels(voxelsOf(prior.labels, lesion), prior.grid, current.grid, link));
  const resolved = changes
    .filter(({ change }) => change === "resolved")
    .map((change) => ({ value: CHANGE_VALUES.resolved, voxels: carried(change) }));
  return {
    current: paintExtents(current.labels.shape, [...resolved, ...extents(current, ({ lesions }) => lesions)]),
    prior: paintExtents(prior.labels.shape, extents(prior, ({ prior_lesions }) => prior_lesions)),
    carried,
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
