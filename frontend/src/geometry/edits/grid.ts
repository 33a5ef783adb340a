import { length, toWorldDirection, type Affine, type Point3 } from "../affine";
import type { LabelVolume, LesionClass } from "../labels";

export type Shape = LabelVolume["shape"];

/** mm from one voxel to the next along slices, rows and columns. */
export type Spacing = Point3;

/** Intensities of one slice, rows by columns; null while they are not here. */
export type IntensitiesOf = (sliceIndex: number) => ArrayLike<number> | null;

export function spacingOf(affine: Affine): Spacing {
  return [
    length(toWorldDirection(affine, [1, 0, 0])), length(toWorldDirection(affine, [0, 1, 0])), length(toWorldDirection(affine, [0, 0, 1])),
  ];
}

/** The index in C order of the voxel in which a position lies; null outside the volume. */
export function indexOf([slices, rows, columns]: Shape, [slice, row, column]: Point3): number | null {
  const [z, y, x] = [Math.round(slice), Math.round(row), Math.round(column)];
  if (z < 0 || y < 0 || x < 0 || z >= slices || y >= rows || x >= columns) return null;
  return (z * rows + y) * columns + x;
}

/** Slice, row and column of a voxel. */
export function positionOf([, rows, columns]: Shape, index: number): [slice: number, row: number, column: number] {
  return [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
}

/** Mean slice, row and column of voxels. */
export function centroidOf(shape: Shape, voxels: ArrayLike<number>): Point3 {
  const [, rows, columns] = shape;
  let [slices, row, column] = [0, 0, 0];
  for (let at = 0; at < voxels.length; at += 1) {
    const index = voxels[at] ?? 0;
    slices += Math.floor(index / (rows * columns));
    row += Math.floor(index / columns) % rows;
    column += index % columns;
  }
  const count = Math.max(1, voxels.length);
  return [slices / count, row / count, column / count];
}

/** The voxel of a lesion nearest to its centroid, in voxels: where a statement about it is pinned. */
export function anchorOf(shape: Shape, voxels: ArrayLike<number>): [slice: number, row: number, column: number] {
  const [z, y, x] = centroidOf(shape, voxels);
  let [anchor, least]: [[number, number, number], number] = [[0, 0, 0], Infinity];
  for (let at = 0; at < voxels.length; at += 1) {
    const position = positionOf(shape, voxels[at] ?? 0);
    const distance = (position[0] - z) ** 2 + (position[1] - y) ** 2 + (position[2] - x) ** 2;
    if (distance < least) [anchor, least] = [position, distance];
  }
  return anchor;
}

/** The class of a lesion: active when at least half of its voxels are. Source: the server's counting rule. */
export function classOf({ voxels }: LabelVolume, lesion: ArrayLike<number>): LesionClass {
  let active = 0;
  for (let at = 0; at < lesion.length; at += 1) if (voxels[lesion[at] ?? 0] === 2) active += 1;
  return active * 2 >= lesion.length ? "active" : "inactive";
}
