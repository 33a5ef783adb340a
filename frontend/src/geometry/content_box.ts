import type { Point3 } from "./affine";
import type { GrayWindow } from "./windowing";

/** First and last row and column of what is to be seen, in pixels. */
export interface ContentBox {
  readonly rows: readonly [first: number, last: number];
  readonly columns: readonly [first: number, last: number];
}

/** Only every so many pixels are looked at, both ways: a head is much larger. */
const STEP = 4;
/** Brighter than this share of the window is no air, even where there is noise or a ghost. */
const BRIGHT = 0.2;
/** A row or column holds the head where this share of its pixels is bright: a few bright ones are noise. */
const HELD = 0.03;

/** The box around the head in all slices; null where nothing stands out of the air. A slice that is not there is left out. */
export function contentBox(slices: readonly (ArrayLike<number> | null)[], [, rows, columns]: Point3, window: GrayWindow): ContentBox | null {
  const least = window.center - window.width / 2 + BRIGHT * window.width;
  const [byRow, byColumn] = [new Uint8Array(rows), new Uint8Array(columns)];
  for (const slice of slices) if (slice) markHeld(slice, columns, least, byRow, byColumn);
  const [rowsHeld, columnsHeld] = [reach(byRow), reach(byColumn)];
  return rowsHeld && columnsHeld && { rows: rowsHeld, columns: columnsHeld };
}

function markHeld(slice: ArrayLike<number>, columns: number, least: number, byRow: Uint8Array, byColumn: Uint8Array): void {
  const inColumn = new Uint16Array(columns);
  for (let row = 0; row < byRow.length; row += STEP) {
    let inRow = 0;
    for (let column = 0; column < columns; column += STEP) {
      if ((slice[row * columns + column] ?? 0) < least) continue;
      inRow += 1;
      inColumn[column] = (inColumn[column] ?? 0) + 1;
    }
    if (inRow > Math.max(1, (HELD * columns) / STEP)) byRow[row] = 1;
  }
  for (let column = 0; column < columns; column += STEP) {
    if ((inColumn[column] ?? 0) > Math.max(1, (HELD * byRow.length) / STEP)) byColumn[column] = 1;
  }
}

function reach(held: Uint8Array): readonly [number, number] | null {
  const first = held.indexOf(1);
  return first < 0 ? null : [first, Math.min(held.length, held.lastIndexOf(1) + STEP) - 1];
}
