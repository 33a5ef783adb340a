import type { LesionClass } from "../geometry/labels";
import { DIFFERENCE, type Difference } from "../geometry/version_diff";
import type { ShownKind } from "../state/shown_changes";

/** Lines inside an outline: what tells two colours apart for who does not see them. */
export type Pattern = "diagonal" | "cross" | "horizontal" | "dots";

/** How one value of a mask is drawn. */
export interface PaintStyle {
  readonly color: string;
  /** Dashes of the outline in CSS pixels. */
  readonly dash: readonly number[];
  /** Share of the opacity that goes into the plain fill. */
  readonly fillShare: number;
  readonly pattern: Pattern | null;
}

/**
 * Colours of the classes: vermillion and sky blue, told apart by every kind of colour vision.
 * Source: Okabe and Ito, "Color Universal Design", 2008. Colour is never alone: active is hatched inside a solid line,
 * inactive is plain inside a dashed line.
 */
export const CLASS_STYLES: Readonly<Record<LesionClass, PaintStyle>> = {
  active: { color: "#ff7a33", dash: [], fillShare: 0.2, pattern: "diagonal" },
  inactive: { color: "#56b4e9", dash: [4, 3], fillShare: 0.34, pattern: null },
};

/** What became of a lesion since the prior, from the same colours; each has a pattern or a line of its own. */
export const CHANGE_STYLES: Readonly<Record<ShownKind, PaintStyle>> = {
  new: { color: "#ff5d3b", dash: [], fillShare: 0.22, pattern: "cross" },
  enlarging: { color: "#ffc23d", dash: [], fillShare: 0.2, pattern: "diagonal" },
  brightened: { color: "#f3f06a", dash: [6, 2, 1.5, 2], fillShare: 0, pattern: null },
  stable: { color: "#c8d0d9", dash: [4, 3], fillShare: 0.16, pattern: null },
  shrinking: { color: "#56b4e9", dash: [], fillShare: 0.2, pattern: "horizontal" },
  resolved: { color: "#36d1a4", dash: [1.5, 3.5], fillShare: 0.04, pattern: "dots" },
};

/** In what two versions differ: bluish green, reddish purple and yellow of the same palette; each has a dash or a fill of its own too. */
const DIFFERENCE_STYLES: Readonly<Record<Difference, PaintStyle>> = {
  kept: { color: "#d5dce4", dash: [1, 3], fillShare: 0, pattern: null },
  removed: { color: "#e08fc0", dash: [4, 3], fillShare: 0, pattern: null },
  added: { color: "#3ddc97", dash: [], fillShare: 0.33, pattern: null },
  reclassified: { color: "#f0e442", dash: [], fillShare: 0.55, pattern: null },
};

/** What changed is drawn above what did not. */
const DIFFERENCE_ORDER: readonly Difference[] = ["kept", "removed", "added", "reclassified"];

/** Styles by the value of a voxel of the difference. */
export const DIFFERENCE_PAINT: ReadonlyMap<number, PaintStyle> = new Map(
  DIFFERENCE_ORDER.map((kind) => [DIFFERENCE[kind], DIFFERENCE_STYLES[kind]]),
);

export const BRAIN_COLOR = "#f0e442";

/** CSS pixels between the lines of a pattern. */
const PERIOD = 8;

/** A dark line below keeps the bright one visible on a bright lesion. */
const SHADOW = { width: 3.2, color: "rgb(0 0 0 / 42%)" };
const LINE_WIDTH = 1.6;

/** A pattern in one colour, repeated in screen space so that zoom does not change its width. */
export function patternOf(context: CanvasRenderingContext2D, { color, pattern }: PaintStyle, pixelRatio: number): CanvasPattern | null {
  if (!pattern) return null;
  const size = Math.round(PERIOD * pixelRatio);
  const tile = new OffscreenCanvas(size, size);
  const pen = tile.getContext("2d");
  if (!pen) return null;
  for (const line of [SHADOW, { width: LINE_WIDTH, color }]) {
    pen.strokeStyle = pen.fillStyle = line.color;
    pen.lineWidth = line.width * pixelRatio;
    DRAW[pattern](pen, size);
  }
  return context.createPattern(tile, "repeat");
}

type Pen = OffscreenCanvasRenderingContext2D;

const DRAW: Readonly<Record<Pattern, (pen: Pen, size: number) => void>> = {
  diagonal: (pen, size) => lines(pen, size, 1),
  cross: (pen, size) => {
    lines(pen, size, 1);
    lines(pen, size, -1);
  },
  horizontal: (pen, size) => {
    pen.beginPath();
    pen.moveTo(0, size / 2);
    pen.lineTo(size, size / 2);
    pen.stroke();
  },
  dots: (pen, size) => {
    pen.beginPath();
    pen.arc(size / 2, size / 2, pen.lineWidth * 0.7, 0, 2 * Math.PI);
    pen.fill();
  },
};

/** Diagonals that rise to the right (1) or to the left (-1), drawn beyond the tile so that its corners are whole. */
function lines(pen: Pen, size: number, direction: 1 | -1): void {
  for (const shift of [-size, 0, size]) {
    const [left, right] = direction === 1 ? [2 * size, -size] : [-size, 2 * size];
    pen.beginPath();
    pen.moveTo(shift - size, left);
    pen.lineTo(shift + 2 * size, right);
    pen.stroke();
  }
}
