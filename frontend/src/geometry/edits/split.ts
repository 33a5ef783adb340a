import type { LabelVolume } from "../labels";
import type { SlicePoint } from "./brush";
import { positionOf } from "./grid";
import { labelling, type VoxelEdit } from "./voxel_edit";

/**
 * Cuts a lesion along a line drawn on a slice, through all of its slices: a cut on one slice alone would leave the halves
 * joined above and below. The cut is as thin as keeps 26-connected halves apart.
 */
export function split(labels: LabelVolume, lesion: ArrayLike<number>, line: readonly SlicePoint[]): VoxelEdit {
  const isOnLine = new Set(line.flatMap((to, at) => pixelsBetween(line[Math.max(0, at - 1)] ?? to, to)).map(keyOf));
  const cut = Array.from(lesion).filter((index) => {
    const [, row, column] = positionOf(labels.shape, index);
    return isOnLine.has(keyOf([row, column]));
  });
  return labelling(labels, cut, 0);
}

function keyOf([row, column]: readonly [number, number]): string {
  return `${row} ${column}`;
}

/** Pixels of a line whose neighbours share a side, so that nothing slips through between two corners. */
export function pixelsBetween(from: SlicePoint, to: SlicePoint): [row: number, column: number][] {
  let [row, column] = [Math.round(from.row), Math.round(from.column)];
  const [lastRow, lastColumn] = [Math.round(to.row), Math.round(to.column)];
  const [rowsLeft, columnsLeft] = [Math.abs(lastRow - row), Math.abs(lastColumn - column)];
  const pixels: [number, number][] = [[row, column]];
  for (let [down, across] = [0, 0]; down < rowsLeft || across < columnsLeft; ) {
    const isDown = across === columnsLeft || (down < rowsLeft && (down + 0.5) * columnsLeft < (across + 0.5) * rowsLeft);
    if (isDown) [down, row] = [down + 1, row + Math.sign(lastRow - row)];
    else [across, column] = [across + 1, column + Math.sign(lastColumn - column)];
    pixels.push([row, column]);
  }
  return pixels;
}
