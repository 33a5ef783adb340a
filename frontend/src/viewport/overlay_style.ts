import type { LesionClass } from "../geometry/labels";
import type { Difference } from "../geometry/version_diff";

/**
 * Colours of the classes: vermillion and sky blue, told apart by every kind of colour vision.
 * Source: Okabe and Ito, "Color Universal Design", 2008. Colour is never alone: active is hatched inside a solid line,
 * inactive is plain inside a dashed line.
 */
export const CLASS_COLORS: Readonly<Record<LesionClass, string>> = { active: "#ff7a33", inactive: "#56b4e9" };

export const BRAIN_COLOR = "#f0e442";

/** Dashes of the outline in CSS pixels. */
export const CLASS_DASHES: Readonly<Record<LesionClass, number[]>> = { active: [], inactive: [4, 3] };

interface DifferenceStyle {
  readonly color: string;
  readonly dash: number[];
  /** Opacity of the fill. */
  readonly fill: number;
}

/** Bluish green, reddish purple and yellow of the same palette; each has a dash or a fill of its own too. */
export const DIFFERENCE_STYLES: Readonly<Record<Difference, DifferenceStyle>> = {
  kept: { color: "#d5dce4", dash: [1, 3], fill: 0 },
  removed: { color: "#e08fc0", dash: [4, 3], fill: 0 },
  added: { color: "#3ddc97", dash: [], fill: 0.3 },
  reclassified: { color: "#f0e442", dash: [], fill: 0.5 },
};

/** What changed is drawn above what did not. */
export const DIFFERENCE_ORDER: readonly Difference[] = ["kept", "removed", "added", "reclassified"];

/** CSS pixels between the lines of the hatch. */
const HATCH_PERIOD = 8;

/** Width and colour of its lines: a dark one below keeps the bright one visible on a bright lesion. */
const HATCH_LINES = [
  { width: 3.2, color: "rgb(0 0 0 / 42%)" },
  { width: 1.6, color: CLASS_COLORS.active },
];

/** Diagonal lines of the active class, repeated in screen space so that zoom does not change their width. */
export function hatchPattern(context: CanvasRenderingContext2D, pixelRatio: number): CanvasPattern | null {
  const size = Math.round(HATCH_PERIOD * pixelRatio);
  const tile = new OffscreenCanvas(size, size);
  const pen = tile.getContext("2d");
  if (!pen) return null;
  for (const { width, color } of HATCH_LINES) {
    pen.strokeStyle = color;
    pen.lineWidth = width * pixelRatio;
    for (const shift of [-size, 0, size]) {
      pen.beginPath();
      pen.moveTo(shift - size, 2 * size);
      pen.lineTo(shift + 2 * size, -size);
      pen.stroke();
    }
  }
  return context.createPattern(tile, "repeat");
}
