import { compose, invert, toVoxel, toWorld, type Affine, type Point3 } from "./affine";

/** A volume's grid in the patient: its affine and its slices, rows, columns. */
export interface Grid {
  readonly affine: Affine;
  readonly shape: Point3;
}

export const IDENTITY: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/**
 * A link is a matrix from a patient position in one study to the one that is shown for it in another, mm, LPS.
 * Scanner positions are taken for the same place when the middle of each volume lies within the other.
 */
export function isScannerShared(first: Grid, second: Grid): boolean {
  return isInside(second, toWorld(first.affine, middleOf(first))) && isInside(first, toWorld(second.affine, middleOf(second)));
}

/** The same share of slices, rows and columns in both volumes: all that is known without a registration. */
export function relativeLink(from: Grid, to: Grid): Affine {
  const [slices, rows, columns] = to.shape.map((size, axis) => Math.max(1, size - 1) / Math.max(1, (from.shape[axis] ?? 1) - 1));
  return throughVoxels(from, to, [slices ?? 1, rows ?? 1, columns ?? 1], 0);
}

/** One slice for one slice, `offset` slices further on, at the same share of rows and columns. */
export function offsetLink(from: Grid, to: Grid, offset: number): Affine {
  const [, rows, columns] = to.shape.map((size, axis) => Math.max(1, size - 1) / Math.max(1, (from.shape[axis] ?? 1) - 1));
  return throughVoxels(from, to, [1, rows ?? 1, columns ?? 1], offset);
}

/** The link between two panes that are both linked from a third. */
export function linkBetween(fromLink: Affine, toLink: Affine): Affine {
  return compose(toLink, invert(fromLink));
}

/** Where a linked volume is cut for a position of another one. */
export interface Cut {
  readonly sliceIndex: number;
  /** Fractional row and column. */
  readonly row: number;
  readonly column: number;
  /** False when the position lies beyond the first or the last slice. */
  readonly isCovered: boolean;
}

/** The slice nearest to where the link takes a position, and the place within it. */
export function cutAt(grid: Grid, link: Affine, position: Point3): Cut {
  const [slice, row, column] = toVoxel(grid.affine, toWorld(link, position));
  const last = grid.shape[0] - 1;
  const sliceIndex = Math.min(last, Math.max(0, Math.round(slice)));
  return { sliceIndex, row, column, isCovered: slice >= -0.5 && slice <= last + 0.5 };
}

function throughVoxels(from: Grid, to: Grid, [slices, rows, columns]: Point3, offset: number): Affine {
  const scale: Affine = [slices, 0, 0, offset, 0, rows, 0, 0, 0, 0, columns, 0, 0, 0, 0, 1];
  return compose(to.affine, compose(scale, invert(from.affine)));
}

function middleOf({ shape: [slices, rows, columns] }: Grid): Point3 {
  return [(slices - 1) / 2, (rows - 1) / 2, (columns - 1) / 2];
}

function isInside({ affine, shape }: Grid, position: Point3): boolean {
  return toVoxel(affine, position).every((index, axis) => index >= -0.5 && index <= (shape[axis] ?? 0) - 0.5);
}
