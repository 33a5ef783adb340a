import type { LabelVolume } from "../labels";
import type { SlicePoint } from "./brush";
import { positionOf, type Shape, type Spacing } from "./grid";
import { labelling, type VoxelEdit } from "./voxel_edit";

/** One 8-connected patch of labels in one slice: rows and columns of its pixels. */
export interface Patch {
  readonly sliceIndex: number;
  readonly pixels: readonly (readonly [row: number, column: number])[];
}

/**
 * Fills the slices between two patches: their signed distances to the outline are mixed by the distance to either, each
 * moved along the line that joins their centres, so that patches that do not overlap are joined too.
 * Source: Raya and Udupa, "Shape-based interpolation of multidimensional objects", IEEE TMI 1990.
 */
export function interpolate(labels: LabelVolume, [, rowMm, columnMm]: Spacing, first: Patch, second: Patch, label: number): VoxelEdit {
  const [lower, upper] = first.sliceIndex < second.sliceIndex ? [first, second] : [second, first];
  const [below, above] = [distancesOf(lower, rowMm, columnMm), distancesOf(upper, rowMm, columnMm)];
  const found: number[] = [];
  for (let sliceIndex = lower.sliceIndex + 1; sliceIndex < upper.sliceIndex; sliceIndex += 1) {
    const share = (sliceIndex - lower.sliceIndex) / (upper.sliceIndex - lower.sliceIndex);
    const [row, column] = [0, 1].map((axis) => mix(below.centre[axis] ?? 0, above.centre[axis] ?? 0, share)) as [number, number];
    const reach = Math.max(below.reach, above.reach);
    for (let y = Math.ceil(row - reach); y <= row + reach; y += 1) {
      for (let x = Math.ceil(column - reach); x <= column + reach; x += 1) {
        const depth = mix(below.depthAt(y - row, x - column), above.depthAt(y - row, x - column), share);
        if (depth > 0) found.push(...indicesAt(labels.shape, sliceIndex, y, x));
      }
    }
  }
  return labelling(labels, found.filter((index) => labels.voxels[index] === 0), label);
}

function mix(first: number, second: number, share: number): number {
  return first * (1 - share) + second * share;
}

function indicesAt([, rows, columns]: Shape, sliceIndex: number, row: number, column: number): number[] {
  return row < 0 || column < 0 || row >= rows || column >= columns ? [] : [(sliceIndex * rows + row) * columns + column];
}

interface Distances {
  readonly centre: readonly [row: number, column: number];
  /** Pixels from the centre within which the patch lies. */
  readonly reach: number;
  /** mm to the outline at an offset from the centre, above 0 inside. */
  depthAt(row: number, column: number): number;
}

function distancesOf({ pixels }: Patch, rowMm: number, columnMm: number): Distances {
  const mean = (axis: 0 | 1) => pixels.reduce((sum, pixel) => sum + pixel[axis], 0) / pixels.length;
  const centre = [mean(0), mean(1)] as const;
  const keys = new Set(pixels.map(([row, column]) => row * 65_536 + column));
  const isInside = (row: number, column: number) => keys.has(row * 65_536 + column);
  const isRim = ([row, column]: readonly [number, number]) =>
    !isInside(row - 1, column) || !isInside(row + 1, column) || !isInside(row, column - 1) || !isInside(row, column + 1);
  const rim = pixels.filter(isRim);
  const reach = 1 + Math.max(...pixels.map(([row, column]) => Math.max(Math.abs(row - centre[0]), Math.abs(column - centre[1]))));
  const half = Math.min(rowMm, columnMm) / 2;
  const depthAt = (offsetRow: number, offsetColumn: number) => {
    const [row, column] = [centre[0] + offsetRow, centre[1] + offsetColumn];
    let least = Infinity;
    for (const [y, x] of rim) least = Math.min(least, ((y - row) * rowMm) ** 2 + ((x - column) * columnMm) ** 2);
    const distance = Math.sqrt(least);
    return isInside(Math.round(row), Math.round(column)) ? distance + half : half - distance;
  };
  return { centre, reach, depthAt };
}

/** The patch of a slice nearest to a point, no further than `withinMm`; null when there is none. */
export function patchNear(
  labels: LabelVolume, [, rowMm, columnMm]: Spacing, { sliceIndex, point, withinMm }: { sliceIndex: number; point: SlicePoint; withinMm: number },
): Patch | null {
  const [slices, rows, columns] = labels.shape;
  if (sliceIndex < 0 || sliceIndex >= slices) return null;
  const first = sliceIndex * rows * columns;
  let [seed, least] = [-1, withinMm ** 2];
  for (let at = 0; at < rows * columns; at += 1) {
    if (labels.voxels[first + at] === 0) continue;
    const distance = ((Math.floor(at / columns) - point.row) * rowMm) ** 2 + (((at % columns) - point.column) * columnMm) ** 2;
    if (distance <= least) [seed, least] = [first + at, distance];
  }
  return seed === -1 ? null : { sliceIndex, pixels: patchOf(labels, seed) };
}

function patchOf(labels: LabelVolume, seed: number): [number, number][] {
  const { shape, voxels } = labels;
  const found = [seed];
  const isFound = new Set(found);
  for (let next = 0; next < found.length; next += 1) {
    const [slice, row, column] = positionOf(shape, found[next] ?? 0);
    for (let y = Math.max(0, row - 1); y <= Math.min(shape[1] - 1, row + 1); y += 1) {
      for (let x = Math.max(0, column - 1); x <= Math.min(shape[2] - 1, column + 1); x += 1) {
        const index = (slice * shape[1] + y) * shape[2] + x;
        if (voxels[index] === 0 || isFound.has(index)) continue;
        isFound.add(index);
        found.push(index);
      }
    }
  }
  return found.map((index) => positionOf(shape, index)).map(([, row, column]) => [row, column]);
}
