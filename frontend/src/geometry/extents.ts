import { compose, invert, toWorld, type Affine, type Point3 } from "./affine";
import type { LabelVolume } from "./labels";
import type { LesionVoxels } from "./lesion_extent";
import type { Grid } from "./registration";

/** What the voxels of one lesion get as their value. */
export interface Extent {
  readonly value: number;
  readonly voxels: LesionVoxels;
}

/** A mask that holds each extent's value at its voxels; where two overlap, the later one. */
export function paintExtents(shape: LabelVolume["shape"], extents: readonly Extent[]): LabelVolume {
  const voxels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const { value, voxels: extent } of extents) for (const voxel of extent) voxels[voxel] = value;
  return { shape, voxels };
}

/**
 * The voxels of `target` whose centres lie in a lesion of `source`: what the lesion covers in the other volume.
 *
 * @param link from a position in the target to the one in the source
 */
export function carryVoxels(voxels: LesionVoxels, source: Grid, target: Grid, link: Affine): number[] {
  const lesion = new Set<number>(voxels);
  const [, rows, columns] = source.shape;
  const toSource = compose(invert(source.affine), compose(link, target.affine));
  const [low, high] = boxAround(voxels, source, target, invert(toSource));
  const carried: number[] = [];
  for (let slice = low[0]; slice <= high[0]; slice += 1) {
    for (let row = low[1]; row <= high[1]; row += 1) {
      for (let column = low[2]; column <= high[2]; column += 1) {
        const [z, y, x] = rounded(toWorld(toSource, [slice, row, column]));
        const isInside = y >= 0 && y < rows && x >= 0 && x < columns;
        if (isInside && lesion.has((z * rows + y) * columns + x)) carried.push((slice * target.shape[1] + row) * target.shape[2] + column);
      }
    }
  }
  return carried;
}

function rounded([slice, row, column]: Point3): Point3 {
  return [Math.round(slice), Math.round(row), Math.round(column)];
}

/** First and last slice, row and column of the target that the lesion can reach, a voxel of room around it. */
function boxAround(voxels: LesionVoxels, source: Grid, target: Grid, toTarget: Affine): [Point3, Point3] {
  const [, rows, columns] = source.shape;
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const voxel of voxels) {
    const place: Point3 = [Math.floor(voxel / (rows * columns)), Math.floor(voxel / columns) % rows, voxel % columns];
    toWorld(toTarget, place).forEach((index, axis) => {
      low[axis] = Math.max(0, Math.min(low[axis] ?? 0, Math.floor(index) - 1));
      high[axis] = Math.min((target.shape[axis] ?? 1) - 1, Math.max(high[axis] ?? 0, Math.ceil(index) + 1));
    });
  }
  return [low, high];
}
