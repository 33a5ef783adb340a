import type { Point3 } from "./affine";
import type { LabelVolume } from "./labels";

/** Rows and columns that a lesion covers in one slice, both ends included. */
export interface SliceBox {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly firstColumn: number;
  readonly lastColumn: number;
}

/** Voxel indices of one lesion, in no order. */
export type LesionVoxels = readonly number[];

/**
 * The 26-connected component of labels above 0, both classes together, that holds the labelled voxel nearest to a
 * position on the slice of its centroid; empty when that slice holds no label.
 *
 * @param centroid slice, row and column; the slice is a whole number
 */
export function lesionAt(labels: LabelVolume, centroid: Point3): LesionVoxels {
  const seed = nearestLabelled(labels, centroid);
  if (seed === null) return [];
  const found = [seed];
  const isFound = new Set(found);
  for (let next = 0; next < found.length; next += 1) {
    for (const neighbour of neighbours(labels, found[next] ?? 0)) {
      if (labels.voxels[neighbour] === 0 || isFound.has(neighbour)) continue;
      isFound.add(neighbour);
      found.push(neighbour);
    }
  }
  return found;
}

/** The box of a lesion in every slice that it touches. */
export function boxesOf(voxels: Iterable<number>, [, rows, columns]: LabelVolume["shape"]): Map<number, SliceBox> {
  const boxes = new Map<number, SliceBox>();
  for (const voxel of voxels) {
    const slice = Math.floor(voxel / (rows * columns));
    const row = Math.floor(voxel / columns) % rows;
    const column = voxel % columns;
    const box = boxes.get(slice) ?? { firstRow: row, lastRow: row, firstColumn: column, lastColumn: column };
    boxes.set(slice, {
      firstRow: Math.min(box.firstRow, row), lastRow: Math.max(box.lastRow, row),
      firstColumn: Math.min(box.firstColumn, column), lastColumn: Math.max(box.lastColumn, column),
    });
  }
  return boxes;
}

function nearestLabelled({ shape: [slices, rows, columns], voxels }: LabelVolume, [slice, row, column]: Point3): number | null {
  if (slice < 0 || slice >= slices) return null;
  const first = slice * rows * columns;
  let nearest: number | null = null;
  let least = Infinity;
  for (let at = 0; at < rows * columns; at += 1) {
    if (voxels[first + at] === 0) continue;
    const distance = (Math.floor(at / columns) - row) ** 2 + ((at % columns) - column) ** 2;
    if (distance < least) [nearest, least] = [first + at, distance];
  }
  return nearest;
}

function neighbours({ shape: [slices, rows, columns] }: LabelVolume, voxel: number): number[] {
  const slice = Math.floor(voxel / (rows * columns));
  const row = Math.floor(voxel / columns) % rows;
  const column = voxel % columns;
  const found: number[] = [];
  for (let z = Math.max(0, slice - 1); z <= Math.min(slices - 1, slice + 1); z += 1) {
    for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y += 1) {
      for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x += 1) found.push((z * rows + y) * columns + x);
    }
  }
  return found;
}
