import { componentAt, componentsOf, type Component } from "../geometry/components";
import type { LabelVolume } from "../geometry/labels";
import { lesionAt } from "../geometry/lesion_extent";
import type { Anchor, Statement } from "../server/review";
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
  if (!labels.voxels[(slice * rows + row) * columns + column]) return null;
  return lesionOf(Uint32Array.from(lesionAt(labels, [slice, row, column])), labels.shape, lesions);
}

/** By the number of a lesion, the last statement that is about it. */
export function statementsByLesion(labels: LabelVolume, lesions: readonly Lesion[], statements: readonly Statement[]): ReadonlyMap<number, Statement> {
  const found = new Map<number, Statement>();
  if (statements.length === 0) return found;
  const components = componentsOf(labels);
  const [, rows, columns] = labels.shape;
  for (const statement of statements) {
    const [slice, row, column] = statement.anchor;
    const component = componentAt(components, (slice * rows + row) * columns + column);
    const lesion = component && lesionOf(component, labels.shape, lesions);
    if (lesion) found.set(lesion.number, statement);
  }
  return found;
}

/** Two components of one size never have their centres so close, in voxels. */
const SAME_CENTRE = 0.05;

/** The lesion that a component was measured as. */
function lesionOf(component: Component, shape: LabelVolume["shape"], lesions: readonly Lesion[]): Lesion | null {
  const centre = centreOf(component, shape);
  const isHere = ({ voxel_count, centroid_index }: Lesion) =>
    voxel_count === component.length && centre.every((position, axis) => Math.abs(position - (centroid_index[axis] ?? Infinity)) < SAME_CENTRE);
  return lesions.find(isHere) ?? null;
}

function centreOf(component: Component, shape: LabelVolume["shape"]): Anchor {
  const sums = [0, 0, 0];
  for (const index of component) voxelOf(index, shape).forEach((position, axis) => (sums[axis] = (sums[axis] ?? 0) + position));
  const [slice = 0, row = 0, column = 0] = sums.map((sum) => sum / component.length);
  return [slice, row, column];
}

function voxelOf(index: number, [, rows, columns]: LabelVolume["shape"]): Anchor {
  return [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
}
