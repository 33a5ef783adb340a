import type { LabelVolume } from "../geometry/labels";
import { heatColors, paintHeat } from "../geometry/probability";
import { pictureOf, type Plane } from "../geometry/reslice";

/** The probability of plaque as colours on the slice. */
export interface Heat {
  /** 0 to 255 */
  readonly probability: LabelVolume;
  /** Less probable voxels stay clear, 0 to 1. */
  readonly threshold: number;
}

const COLORS = heatColors();

/** Planes of one heat map as pictures, each painted once. */
export class HeatPainter {
  #heat: Heat | null = null;
  #pictures = new Map<string, OffscreenCanvas>();

  draw(context: CanvasRenderingContext2D, heat: Heat, plane: Plane, matrix: DOMMatrix): void {
    if (this.#heat?.probability !== heat.probability || this.#heat.threshold !== heat.threshold) this.#pictures.clear();
    this.#heat = heat;
    const picture = this.#pictureOf(heat, plane);
    if (!picture) return;
    context.save();
    context.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, -0.5, -0.5);
    context.restore();
  }

  #pictureOf({ probability, threshold }: Heat, { axis, index }: Plane): OffscreenCanvas | null {
    const key = `${axis}/${index}`;
    const kept = this.#pictures.get(key);
    if (kept) return kept;
    const [values, columns] = pictureOf(probability, axis, index);
    if (values.length === 0) return null;
    const picture = new OffscreenCanvas(columns, values.length / columns);
    const pen = picture.getContext("2d");
    const pixels = pen?.createImageData(picture.width, picture.height);
    if (!pen || !pixels) return null;
    paintHeat(values, threshold, COLORS, pixels.data);
    pen.putImageData(pixels, 0, 0);
    this.#pictures.set(key, picture);
    return picture;
  }
}
