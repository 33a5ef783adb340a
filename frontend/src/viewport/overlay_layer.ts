import { toWorld, type Affine, type Point3 } from "../geometry/affine";
import { LABEL_OF_CLASS, LESION_CLASSES, sliceOf, type LabelVolume, type LesionClass } from "../geometry/labels";
import { outlineLoops } from "../geometry/outlines";
import type { OverlaySettings } from "../state/reading";
import { BRAIN_COLOR, CLASS_COLORS, CLASS_DASHES, hatchPattern } from "./overlay_style";
import type { Point2 } from "./reading_stack";

/** A lesion that the reader chose, to be bracketed on its slices. */
export interface Mark {
  readonly centroid: Point3;
  readonly sliceIndices: readonly number[];
  readonly radiusMm: number;
}

export interface OverlayScene {
  readonly affine: Affine;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  readonly settings: OverlaySettings;
  readonly isHidden: boolean;
  readonly mark: Mark | null;
}

type Project = (world: Point3) => Point2;

const FILL_SHARE = 0.42;
const OUTLINE_WIDTH = 1.6;
const BRAIN_LABEL = 1;

/**
 * Masks drawn as outlines on a canvas above the viewport, placed by the viewport's own world-to-canvas projection.
 * Cornerstone's labelmap has one fill and one outline colour a segment, neither hatch nor dash; and vectors stay crisp
 * at every zoom and cost nothing on the graphics card.
 */
export class OverlayLayer {
  readonly #context: CanvasRenderingContext2D;
  #hatch: { ratio: number; pattern: CanvasPattern | null } = { ratio: 0, pattern: null };
  #paths = new WeakMap<LabelVolume, Map<string, Path2D>>();

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser draws no 2D canvas, which the overlay needs.");
    this.#context = context;
  }

  /** Draws one slice of the scene; true when at least one lesion was in it and shown. */
  draw(scene: OverlayScene, sliceIndex: number, project: Project): boolean {
    const ratio = this.#clear();
    if (sliceIndex < 0 || scene.isHidden) return false;
    const matrix = sliceMatrix(scene.affine, sliceIndex, project);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (scene.brain && scene.settings.isBrainShown) this.#drawBrain(this.#placed(scene.brain, sliceIndex, BRAIN_LABEL, matrix));
    if (scene.labels && scene.settings.isShown) this.#drawLesions(scene.labels, scene.settings, sliceIndex, matrix);
    if (scene.mark?.sliceIndices.includes(sliceIndex)) this.#drawMark(scene.mark, scene.affine, sliceIndex, project);
    return scene.labels !== null;
  }

  #clear(): number {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.canvas.clientWidth * ratio), Math.round(this.canvas.clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    if (this.#hatch.ratio !== ratio) this.#hatch = { ratio, pattern: hatchPattern(this.#context, ratio) };
    return ratio;
  }

  #drawLesions(labels: LabelVolume, settings: OverlaySettings, sliceIndex: number, matrix: DOMMatrix): void {
    for (const lesionClass of LESION_CLASSES) {
      if (!settings.shownClasses[lesionClass]) continue;
      const path = this.#placed(labels, sliceIndex, LABEL_OF_CLASS[lesionClass], matrix);
      if (settings.style !== "outline") this.#fill(path, lesionClass, settings.opacity[lesionClass]);
      if (settings.style !== "fill") this.#outline(path, lesionClass, settings.opacity[lesionClass]);
    }
    this.#context.globalAlpha = 1;
  }

  #fill(path: Path2D, lesionClass: LesionClass, opacity: number): void {
    const context = this.#context;
    context.globalAlpha = opacity * FILL_SHARE;
    context.fillStyle = CLASS_COLORS[lesionClass];
    context.fill(path, "evenodd");
    if (lesionClass !== "active" || !this.#hatch.pattern) return;
    this.#hatch.pattern.setTransform(new DOMMatrix().scaleSelf(1 / this.#hatch.ratio));
    context.globalAlpha = opacity;
    context.fillStyle = this.#hatch.pattern;
    context.fill(path, "evenodd");
  }

  #outline(path: Path2D, lesionClass: LesionClass, opacity: number): void {
    const context = this.#context;
    context.globalAlpha = Math.min(1, opacity + 0.2);
    this.#stroke(path, "rgb(0 0 0 / 55%)", OUTLINE_WIDTH + 1.6, []);
    this.#stroke(path, CLASS_COLORS[lesionClass], OUTLINE_WIDTH, CLASS_DASHES[lesionClass]);
  }

  #drawBrain(path: Path2D): void {
    this.#stroke(path, "rgb(0 0 0 / 50%)", 2.4, []);
    this.#stroke(path, BRAIN_COLOR, 1, [1, 3]);
  }

  #stroke(path: Path2D, color: string, width: number, dash: number[]): void {
    this.#context.strokeStyle = color;
    this.#context.lineWidth = width;
    this.#context.lineJoin = "round";
    this.#context.setLineDash(dash);
    this.#context.stroke(path);
  }

  /** Four corners around the lesion, wide enough not to cover it. */
  #drawMark(mark: Mark, affine: Affine, sliceIndex: number, project: Project): void {
    const [, row, column] = mark.centroid;
    const centre = toWorld(affine, [sliceIndex, row, column]);
    const [x, y] = project(centre);
    const radius = pixelsPerMm(affine, sliceIndex, project) * mark.radiusMm + 10;
    const arm = Math.min(12, radius * 0.5);
    const path = new Path2D();
    for (const [sideX, sideY] of [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const) {
      path.moveTo(x + sideX * radius, y + sideY * (radius - arm));
      path.lineTo(x + sideX * radius, y + sideY * radius);
      path.lineTo(x + sideX * (radius - arm), y + sideY * radius);
    }
    this.#stroke(path, "rgb(0 0 0 / 70%)", 3.5, []);
    this.#stroke(path, "#ffffff", 1.5, []);
  }

  #placed(labels: LabelVolume, sliceIndex: number, label: number, matrix: DOMMatrix): Path2D {
    const placed = new Path2D();
    placed.addPath(this.#pathOf(labels, sliceIndex, label), matrix);
    return placed;
  }

  /** The outline in columns and rows, made once a slice and label. */
  #pathOf(labels: LabelVolume, sliceIndex: number, label: number): Path2D {
    const paths = this.#paths.get(labels) ?? new Map<string, Path2D>();
    this.#paths.set(labels, paths);
    const key = `${sliceIndex}/${label}`;
    const path = paths.get(key) ?? pathOfLoops(outlineLoops(sliceOf(labels, sliceIndex), labels.shape[2], label));
    paths.set(key, path);
    return path;
  }
}

function pathOfLoops(loops: readonly (readonly number[])[]): Path2D {
  const path = new Path2D();
  for (const loop of loops) {
    path.moveTo(loop[0] ?? 0, loop[1] ?? 0);
    for (let corner = 2; corner < loop.length; corner += 2) path.lineTo(loop[corner] ?? 0, loop[corner + 1] ?? 0);
    path.closePath();
  }
  return path;
}

/** Columns and rows of a slice to CSS pixels: exact, since the projection of a plane is affine. */
function sliceMatrix(affine: Affine, sliceIndex: number, project: Project): DOMMatrix {
  const [originX, originY] = project(toWorld(affine, [sliceIndex, 0, 0]));
  const [rowX, rowY] = project(toWorld(affine, [sliceIndex, 100, 0]));
  const [columnX, columnY] = project(toWorld(affine, [sliceIndex, 0, 100]));
  return new DOMMatrix([
    (columnX - originX) / 100, (columnY - originY) / 100, (rowX - originX) / 100, (rowY - originY) / 100, originX, originY,
  ]);
}

function pixelsPerMm(affine: Affine, sliceIndex: number, project: Project): number {
  const [first, second] = [toWorld(affine, [sliceIndex, 0, 0]), toWorld(affine, [sliceIndex, 0, 100])];
  const millimetres = Math.hypot(second[0] - first[0], second[1] - first[1], second[2] - first[2]);
  const [firstAt, secondAt] = [project(first), project(second)];
  return Math.hypot(secondAt[0] - firstAt[0], secondAt[1] - firstAt[1]) / millimetres;
}
