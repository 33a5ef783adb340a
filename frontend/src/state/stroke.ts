import { create } from "zustand";

import type { LabelVolume } from "../geometry/labels";

/** The labels with the stroke that is being drawn; null between strokes. Only the slices follow it, sample by sample. */
export const useStroke = create<{ readonly labels: LabelVolume | null }>()(() => ({ labels: null }));

/** What is drawn on the slices: the stroke's labels while there is one, else those given. */
export function useStrokeLabels(labels: LabelVolume | null): LabelVolume | null {
  const drawn = useStroke((stroke) => stroke.labels);
  return labels && (drawn ?? labels);
}
