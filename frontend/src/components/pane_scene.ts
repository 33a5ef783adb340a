import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { point3 } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { boxesOf } from "../geometry/lesion_extent";
import type { StudyChanges } from "../server/longitudinal";
import type { Annotation, Lesion, SliceStack } from "../server/types";
import { shownChange, type ChangePaintings } from "../state/change_view";
import { useLesionMark, type LesionMark } from "../state/lesion_marks";
import { probabilityQuery } from "../state/longitudinal";
import { usePanes } from "../state/panes";
import { useReading } from "../state/reading";
import type { ShownChange } from "../state/shown_changes";
import { CHANGE_PAINT } from "../viewport/change_paint";
import type { Heat } from "../viewport/heat_painter";
import type { Painting } from "../viewport/overlay_layer";

/** What is drawn above the study's own slices, in every plane. */
export interface PaneScene {
  readonly labels: LabelVolume | null;
  /** Drawn in place of the labels. */
  readonly painting: Painting | null;
  readonly heat: Heat | null;
  readonly brain: LabelVolume | null;
  readonly mark: LesionMark | null;
}

interface SceneSource {
  readonly slices: SliceStack;
  readonly annotation: Annotation | null;
  readonly labels: LabelVolume | null;
  readonly lesions: readonly Lesion[];
  readonly brain: LabelVolume | null;
}

const NONE: readonly number[] = [];

export function useScene(source: SceneSource, paintings: ChangePaintings | null, change: ShownChange | null): PaneScene {
  const { slices, labels, lesions, brain } = source;
  const selected = useReading((reading) => reading.selectedLesion);
  const chosen = useLesionMark(labels, lesions, selected === null ? NONE : [selected], slices.affine);
  const mark = useMemo(() => placeMark(change, paintings, slices) ?? chosen, [chosen, change, paintings, slices]);
  const painting = useMemo(() => (paintings && labels ? { labels: paintings.current, styles: CHANGE_PAINT } : null), [paintings, labels]);
  const heat = useHeat(source.annotation, slices);
  return { labels, painting, heat, brain, mark };
}

/** The change that the reader looks at: the one that was chosen, else that of the selected lesion. */
export function useShownChange(changes: StudyChanges | null): ShownChange | null {
  const selected = useReading((reading) => reading.selectedLesion);
  const chosen = usePanes((panes) => panes.chosenChange);
  return shownChange(changes, chosen, selected);
}

/** The probability that the network gave, fetched once it is to be seen; a reader's version shows that of the version it grew from. */
function useHeat(annotation: Annotation | null, { shape }: SliceStack): Heat | null {
  const { isHeatShown, heatThreshold } = useReading((reading) => reading.overlay);
  const source = annotation?.model ? annotation.id : (annotation?.base ?? null);
  const probability = useQuery({ ...probabilityQuery(source ?? "", shape), enabled: isHeatShown && source !== null }).data;
  return useMemo(
    () => (isHeatShown && probability ? { probability: { shape: point3(shape), voxels: probability }, threshold: heatThreshold } : null),
    [isHeatShown, probability, shape, heatThreshold],
  );
}

/** A resolved lesion is bracketed where it had been, and what became brighter by itself, be it part of a lesion. */
function placeMark(change: ShownChange | null, paintings: ChangePaintings | null, { shape }: SliceStack): LesionMark | null {
  if (!paintings || (change?.change !== "resolved" && change?.change !== "brightened")) return null;
  return { boxes: boxesOf(paintings.placed(change), point3(shape)), axis: null };
}
