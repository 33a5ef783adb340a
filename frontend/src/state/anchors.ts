import type { LabelVolume } from "../geometry/labels";
import { lesionAt } from "../geometry/lesion_extent";
import type { Anchor } from "../server/review";
import type { Lesion } from "../server/types";

/** The slice of a lesion that is shown for it: the one of its own slices nearest to its centroid. */
export function middleSliceOf({ slice_indices, centroid_index }: Pick<Lesion, "slice_indices" | "centroid_index">): number {
  const centre = centroid_index[0] ?? 0;
  const [first = 0] = slice_indices;
  return slice_indices.reduce((best, slice) => (Math.abs(slice - centre) < Math.abs(best - centre) ? slice : best), first);
}

/** A voxel of a lesion on its middle slice, the nearest to its centroid; null when the labels hold no such lesion. */
export function anchorOf(labels: LabelVolume, lesion: Lesion): Anchor | null {
  const slice = middleSliceOf(lesion);
  const [, row = 0, column = 0] = lesion.centroid_index;
  const [seed] = lesionAt(labels, [slice, row, column]);
  return seed === undefined ? null : voxelOf(seed, labels.shape);
}

/** The lesion that an anchor lies in; null once it was removed or redrawn elsewhere. */
export function lesionOfAnchor(labels: LabelVolume, lesions: readonly Lesion[], [slice, row, column]: Anchor): Lesion | null {
  const [, rows, columns] = labels.shape;
  const voxel = (slice * rows + row) * columns + column;
  if (!labels.voxels[voxel]) return null;
  const component = new Set(lesionAt(labels, [slice, row, column]));
  const candidates = lesions.filter(({ slice_indices }) => slice_indices.includes(slice));
  const isInside = (lesion: Lesion) => {
    const [s, r, c] = anchorOf(labels, lesion) ?? [-1, 0, 0];
    return component.has((s * rows + r) * columns + c);
  };
  return candidates.find(isInside) ?? null;
}

function voxelOf(index: number, [, rows, columns]: LabelVolume["shape"]): Anchor {
  return [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
}
