import type { Point3 } from "../geometry/affine";
import type { SliceBox } from "../geometry/lesion_extent";
import type { LongestAxis } from "../geometry/longest_axis";

/** CSS pixels between a lesion and its brackets, and the longest arm of a bracket. */
const MARK_ROOM = 8;
const MARK_ARM = 10;
const CORNERS = [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const;

type Context = CanvasRenderingContext2D;

/** Four corners around the lesion, with room left so that they do not cover its edge. */
export function drawBrackets(context: Context, box: SliceBox, matrix: DOMMatrix): void {
  const upper = matrix.transformPoint({ x: box.firstColumn - 0.5, y: box.firstRow - 0.5 });
  const lower = matrix.transformPoint({ x: box.lastColumn + 0.5, y: box.lastRow + 0.5 });
  const [x, y] = [(upper.x + lower.x) / 2, (upper.y + lower.y) / 2];
  const halfWidth = Math.abs(lower.x - upper.x) / 2 + MARK_ROOM;
  const halfHeight = Math.abs(lower.y - upper.y) / 2 + MARK_ROOM;
  const arm = Math.min(MARK_ARM, halfWidth, halfHeight);
  const path = new Path2D();
  for (const [sideX, sideY] of CORNERS) {
    const [cornerX, cornerY] = [x + sideX * halfWidth, y + sideY * halfHeight];
    path.moveTo(cornerX, cornerY - sideY * arm);
    path.lineTo(cornerX, cornerY);
    path.lineTo(cornerX - sideX * arm, cornerY);
  }
  twice(context, path, 1.5, []);
}

/** Half the length of the bar at each end of an axis, and how far its text stands off, in CSS pixels. */
const END_BAR = 4;
const TEXT_ROOM = 9;

/** The longest axis with its length: dashed where it runs through other slices than this one. */
export function drawAxis(context: Context, { ends: [from, to], lengthMm }: LongestAxis, sliceIndex: number, matrix: DOMMatrix): void {
  const [start, end] = [pointOf(from, matrix), pointOf(to, matrix)];
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  if (length === 0) return;
  const [acrossX, acrossY] = [-(end.y - start.y) / length, (end.x - start.x) / length];
  const path = new Path2D();
  path.moveTo(start.x, start.y);
  path.lineTo(end.x, end.y);
  for (const { x, y } of [start, end]) {
    path.moveTo(x - acrossX * END_BAR, y - acrossY * END_BAR);
    path.lineTo(x + acrossX * END_BAR, y + acrossY * END_BAR);
  }
  const isInSlice = from[0] === sliceIndex && to[0] === sliceIndex;
  twice(context, path, 1.4, isInSlice ? [] : [3, 3]);
  const right = end.x >= start.x ? end : start;
  write(context, `${lengthMm.toFixed(1)} mm`, right.x + TEXT_ROOM, right.y);
}

/** CSS pixels that stay free around the place where planes cross. */
const CROSSING_ROOM = 14;

/** Lines along the rows and the columns of the picture through the place where the other planes cut it. */
export function drawCrossing(context: Context, [row, column]: readonly [number, number], matrix: DOMMatrix, width: number, height: number): void {
  const { x, y } = matrix.transformPoint({ x: column, y: row });
  context.strokeStyle = "rgb(255 224 138 / 75%)";
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  for (const [from, to] of [[0, x - CROSSING_ROOM], [x + CROSSING_ROOM, width]] as const) {
    context.moveTo(from, y);
    context.lineTo(to, y);
  }
  for (const [from, to] of [[0, y - CROSSING_ROOM], [y + CROSSING_ROOM, height]] as const) {
    context.moveTo(x, from);
    context.lineTo(x, to);
  }
  context.stroke();
}

function pointOf([, row, column]: Point3, matrix: DOMMatrix): DOMPoint {
  return matrix.transformPoint({ x: column, y: row });
}

/** White above a dark line, seen on bright and on dark tissue. */
function twice(context: Context, path: Path2D, width: number, dash: number[]): void {
  context.lineJoin = "round";
  for (const [color, extra] of [["rgb(0 0 0 / 70%)", 2], ["#ffffff", 0]] as const) {
    context.strokeStyle = color;
    context.lineWidth = width + extra;
    context.setLineDash(extra > 0 ? [] : dash);
    context.stroke(path);
  }
}

function write(context: Context, text: string, x: number, y: number): void {
  context.font = '600 12px "Inter Variable", sans-serif';
  context.textBaseline = "middle";
  context.setLineDash([]);
  context.lineWidth = 3.5;
  context.strokeStyle = "rgb(0 0 0 / 80%)";
  context.strokeText(text, x, y);
  context.fillStyle = "#ffffff";
  context.fillText(text, x, y);
}
