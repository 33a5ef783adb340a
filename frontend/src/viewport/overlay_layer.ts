import { toWorld, type Affine, type Point3 } from "../geometry/affine";
import { LABEL_OF_CLASS, LESION_CLASSES, sliceOf, type LabelVolume, type LesionClass } from "../geometry/labels";
import type { SliceBox } from "../geometry/lesion_extent";
import { outlineLoops } from "../geometry/outlines";
import { DIFFERENCE } from "../geometry/version_diff";
import type { LesionMark } from "../state/lesion_marks";
import type { OverlaySettings } from "../state/reading";
import { BRAIN_COLOR, CLASS_COLORS, CLASS_DASHES, DIFFERENCE_ORDER, DIFFERENCE_STYLES, hatchPattern } from "./overlay_style";
import type { Point2 } from "./reading_stack";

export interface OverlayScene {
  readonly affine: Affine;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  /** In what two compared versions differ, drawn in place of the labels. */
  readonly difference: LabelVolume | null;
  readonly settings: OverlaySettings;
  readonly isHidden: boolean;
  readonly mark: LesionMark | null;
}

type Project = (world: Point3) => Point2;

/** Share of the opacity that goes into the plain fill: the hatch of the active class adds its own. */
const FILL_SHARE: Readonly<Record<LesionClass, number>> = { active: 0.2, inactive: 0.34 };
const OUTLINE_WIDTH = 1.6;
const BRAIN_LABEL = 1;

/** CSS pixels between a lesion and its brackets, and the longest arm of a bracket. */
const MARK_ROOM = 8;
const MARK_ARM = 10;
const CORNERS = [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const;

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
    if (scene.difference) this.#drawDifference(scene.difference, sliceIndex, matrix);
    else if (scene.labels && scene.settings.isShown) this.#drawLesions(scene.labels, scene.settings, sliceIndex, matrix);
    const box = scene.mark?.boxes.get(sliceIndex);
    if (box) this.#drawMark(box, matrix);
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

  #drawDifference(difference: LabelVolume, sliceIndex: number, matrix: DOMMatrix): void {
    for (const kind of DIFFERENCE_ORDER) {
      const { color, dash, fill } = DIFFERENCE_STYLES[kind];
      const path = this.#placed(difference, sliceIndex, DIFFERENCE[kind], matrix);
      this.#context.globalAlpha = fill;
      this.#context.fillStyle = color;
      this.#context.fill(path, "evenodd");
      this.#context.globalAlpha = 1;
      this.#stroke(path, "rgb(0 0 0 / 55%)", OUTLINE_WIDTH + 1.6, []);
      this.#stroke(path, color, OUTLINE_WIDTH, dash);
    }
  }

  #fill(path: Path2D, lesionClass: LesionClass, opacity: number): void {
    const context = this.#context;
    context.globalAlpha = opacity * FILL_SHARE[lesionClass];
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

  /** Four corners around the lesion, with room left so that they do not cover its edge. */
  #drawMark(box: SliceBox, matrix: DOMMatrix): void {
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
