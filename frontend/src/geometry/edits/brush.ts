import type { LabelVolume } from "../labels";
import type { Shape, Spacing } from "./grid";
import { labelling, type VoxelEdit } from "./voxel_edit";

/** A point on a slice, in rows and columns; the centre of a pixel lies at whole numbers. */
export interface SlicePoint {
  readonly row: number;
  readonly column: number;
}

/** One piece of a stroke: the brush goes straight from one pointer sample to the next. */
export interface Dab {
  readonly sliceIndex: number;
  readonly from: SlicePoint;
  readonly to: SlicePoint;
  readonly diameterMm: number;
}

/**
 * Voxels whose centre lies below a round brush on its way, in C order; round in mm, whatever the pixels' shape. A brush
 * smaller than a pixel still covers the pixel at its end.
 */
export function voxelsBelow([slices, rows, columns]: Shape, [, rowMm, columnMm]: Spacing, dab: Dab): number[] {
  const { sliceIndex, from, to, diameterMm } = dab;
  if (sliceIndex < 0 || sliceIndex >= slices) return [];
  const radius = diameterMm / 2;
  const [top, bottom] = rangeOf(from.row, to.row, radius / rowMm, rows);
  const [left, right] = rangeOf(from.column, to.column, radius / columnMm, columns);
  const [stepY, stepX] = [(to.row - from.row) * rowMm, (to.column - from.column) * columnMm];
  const squared = stepX * stepX + stepY * stepY;
  const found: number[] = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) {
      const [y, x] = [(row - from.row) * rowMm, (column - from.column) * columnMm];
      const along = squared === 0 ? 0 : Math.min(1, Math.max(0, (x * stepX + y * stepY) / squared));
      const isBelow = (x - along * stepX) ** 2 + (y - along * stepY) ** 2 <= radius * radius;
      const isUnderEnd = Math.round(to.row) === row && Math.round(to.column) === column;
      if (isBelow || isUnderEnd) found.push((sliceIndex * rows + row) * columns + column);
    }
  }
  return found;
}

function rangeOf(first: number, second: number, reach: number, size: number): [number, number] {
  const room = Math.max(reach, 0.5);
  return [Math.max(0, Math.floor(Math.min(first, second) - room)), Math.min(size - 1, Math.ceil(Math.max(first, second) + room))];
}

/** Paints one label along a piece of a stroke; 0 erases. */
export function paint(labels: LabelVolume, spacing: Spacing, dab: Dab, label: number): VoxelEdit {
  return labelling(labels, voxelsBelow(labels.shape, spacing, dab), label);
}

/** Intensities that a threshold brush may paint, both ends included. */
export interface IntensityRange {
  readonly lowest: number;
  readonly highest: number;
}

/** Paints only where the slice is as bright as where the stroke began. */
export function paintWithin(
  labels: LabelVolume, spacing: Spacing, dab: Dab, { label, slice, range }: { label: number; slice: ArrayLike<number>; range: IntensityRange },
): VoxelEdit {
  const first = dab.sliceIndex * labels.shape[1] * labels.shape[2];
  const isAlike = (index: number) => {
    const value = slice[index - first] ?? NaN;
    return value >= range.lowest && value <= range.highest;
  };
  return labelling(labels, voxelsBelow(labels.shape, spacing, dab).filter(isAlike), label);
}

/** The intensities around one pixel: the mean of it and its eight neighbours, give or take a tolerance. */
export function rangeAround(slice: ArrayLike<number>, [, rows, columns]: Shape, { row, column }: SlicePoint, tolerance: number): IntensityRange {
  let [sum, count] = [0, 0];
  for (let y = Math.round(row) - 1; y <= Math.round(row) + 1; y += 1) {
    for (let x = Math.round(column) - 1; x <= Math.round(column) + 1; x += 1) {
      if (y < 0 || x < 0 || y >= rows || x >= columns) continue;
      sum += slice[y * columns + x] ?? 0;
      count += 1;
    }
  }
  const mean = sum / Math.max(1, count);
  return { lowest: mean - tolerance, highest: mean + tolerance };
}
