import { useMemo } from "react";

import type { Affine } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { boxesOf, lesionAt, type LesionVoxels, type SliceBox } from "../geometry/lesion_extent";
import { longestAxis, type LongestAxis } from "../geometry/longest_axis";
import type { Lesion } from "../server/types";
import { middleSliceOf } from "./anchors";

/** The lesions that the reader chose, as the overlay marks them. */
export interface LesionMark {
  /** By slice, what is bracketed. */
  readonly boxes: ReadonlyMap<number, SliceBox>;
  /** Of the only lesion that is chosen. */
  readonly axis: LongestAxis | null;
}

/** Voxels of the lesion that a row of the table stands for; empty when the labels hold it no more. */
export function voxelsOf(labels: LabelVolume, lesion: Lesion): LesionVoxels {
  const [, row = 0, column = 0] = lesion.centroid_index;
  return lesionAt(labels, [middleSliceOf(lesion), row, column]);
}

export function markOf(labels: LabelVolume, chosen: readonly Lesion[], affine: Affine): LesionMark | null {
  const extents = chosen.map((lesion) => voxelsOf(labels, lesion)).filter((voxels) => voxels.length > 0);
  const [first] = extents;
  if (!first) return null;
  const boxes = boxesOf(extents.flatMap((voxels) => [...voxels]), labels.shape);
  return { boxes, axis: extents.length === 1 ? longestAxis(first, labels.shape, affine) : null };
}

/** The mark of the lesions with these numbers; null while none of them is on the grid that is shown. */
export function useLesionMark(labels: LabelVolume | null, lesions: readonly Lesion[], numbers: readonly number[], affine: Affine): LesionMark | null {
  const asked = numbers.join();
  return useMemo(() => {
    const wanted = new Set(asked.split(",").map(Number));
    return labels && asked ? markOf(labels, lesions.filter(({ number }) => wanted.has(number)), affine) : null;
  }, [labels, lesions, asked, affine]);
}
