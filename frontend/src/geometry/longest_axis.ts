import { length, toWorldDirection, type Affine, type Point3 } from "./affine";
import type { LabelVolume } from "./labels";
import type { LesionVoxels } from "./lesion_extent";

/** The two voxels of a lesion that lie farthest apart, and how far, in mm. */
export interface LongestAxis {
  readonly ends: readonly [Point3, Point3];
  readonly lengthMm: number;
}

/**
 * The largest distance in space between the centres of two voxels, never less than the larger in-plane spacing: as the
 * server measures it. Null without voxels. Only voxels that end a row of the lesion can be farthest apart.
 */
export function longestAxis(voxels: LesionVoxels, shape: LabelVolume["shape"], affine: Affine): LongestAxis | null {
  const ends = rowEnds(voxels, shape);
  const [first] = ends;
  if (!first) return null;
  let farthest: LongestAxis = { ends: [first, first], lengthMm: 0 };
  ends.forEach((from, index) => {
    for (let other = index + 1; other < ends.length; other += 1) {
      const to = ends[other] ?? from;
      const lengthMm = length(toWorldDirection(affine, [to[0] - from[0], to[1] - from[1], to[2] - from[2]]));
      if (lengthMm > farthest.lengthMm) farthest = { ends: [from, to], lengthMm };
    }
  });
  const spacing = Math.max(length(toWorldDirection(affine, [0, 1, 0])), length(toWorldDirection(affine, [0, 0, 1])));
  return { ...farthest, lengthMm: Math.max(farthest.lengthMm, spacing) };
}

/** The same between two voxels of one slice, the largest of all slices; 0 without voxels. */
export function inPlaneAxisMm(voxels: LesionVoxels, shape: LabelVolume["shape"], affine: Affine): number {
  const bySlice = new Map<number, number[]>();
  for (const voxel of voxels) {
    const slice = Math.floor(voxel / (shape[1] * shape[2]));
    bySlice.set(slice, [...(bySlice.get(slice) ?? []), voxel]);
  }
  return Math.max(0, ...[...bySlice.values()].map((ofSlice) => longestAxis(ofSlice, shape, affine)?.lengthMm ?? 0));
}

/** The first and the last voxel of every row of every slice that the lesion has. */
function rowEnds(voxels: LesionVoxels, [, rows, columns]: LabelVolume["shape"]): Point3[] {
  const spans = new Map<number, readonly [number, number]>();
  for (const voxel of voxels) {
    const [row, column] = [Math.floor(voxel / columns), voxel % columns];
    const [low, high] = spans.get(row) ?? [column, column];
    spans.set(row, [Math.min(low, column), Math.max(high, column)]);
  }
  return [...spans].flatMap(([line, [low, high]]) =>
    (low === high ? [low] : [low, high]).map((column): Point3 => [Math.floor(line / rows), line % rows, column]),
  );
}
