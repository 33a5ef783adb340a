import type { LesionClass } from "../geometry/labels";

/**
 * Colours of the classes: vermillion and sky blue, told apart by every kind of colour vision.
 * Source: Okabe and Ito, "Color Universal Design", 2008. Colour is never alone: active is hatched inside a solid line,
 * inactive is plain inside a dashed line.
 */
export const CLASS_COLORS: Readonly<Record<LesionClass, string>> = { active: "#ff7a33", inactive: "#56b4e9" };

export const BRAIN_COLOR = "#f0e442";

/** Dashes of the outline in CSS pixels. */
export const CLASS_DASHES: Readonly<Record<LesionClass, number[]>> = { active: [], inactive: [4, 3] };

/** CSS pixels between the lines of the hatch. */
const HATCH_PERIOD = 7;

/** Diagonal lines of the active class, repeated in screen space so that zoom does not change their width. */
export function hatchPattern(context: CanvasRenderingContext2D, pixelRatio: number): CanvasPattern | null {
  const size = Math.round(HATCH_PERIOD * pixelRatio);
  const tile = new OffscreenCanvas(size, size);
  const pen = tile.getContext("2d");
  if (!pen) return null;
  pen.strokeStyle = CLASS_COLORS.active;
  pen.lineWidth = 1.5 * pixelRatio;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat");
}
