import { toWorld, type Affine, type Point3 } from "../geometry/affine";
import { LABEL_OF_CLASS, LESION_CLASSES, type LabelVolume } from "../geometry/labels";
import type { SliceBox } from "../geometry/lesion_extent";
import type { LongestAxis } from "../geometry/longest_axis";
import { outlineLoops } from "../geometry/outlines";
import { picturesAxes, pictureOf, type PlaneAxis } from "../geometry/reslice";
import type { LesionMark } from "../state/lesion_marks";
import type { OverlaySettings } from "../state/reading";
import { deviceRatio } from "./exact_geometry";
import { HeatPainter, type Heat } from "./heat_painter";
import { drawAxis, drawBrackets, drawCrossing } from "./overlay_marks";
import { BRAIN_COLOR, CLASS_STYLES, patternOf, type PaintStyle } from "./overlay_style";
import type { Point2 } from "./reading_stack";

/** A mask whose values stand for something else than classes; a value without a style is not drawn. */
export interface Painting {
  readonly labels: LabelVolume;
  readonly styles: ReadonlyMap<number, PaintStyle>;
}

export interface OverlayScene {
  readonly affine: Affine;
  /** The plane of the picture: 0 is a slice as it was taken. */
  readonly plane: PlaneAxis;
  readonly labels: LabelVolume | null;
  /** Drawn in place of the labels. */
  readonly painting: Painting | null;
  readonly brain: LabelVolume | null;
  readonly heat: Heat | null;
  readonly settings: OverlaySettings;
  readonly isHidden: boolean;
  readonly mark: LesionMark | null;
  /** Where planes cross, in rows and columns of the picture. */
  readonly crossing: readonly [row: number, column: number] | null;
}

export type Project = (world: Point3) => Point2;

const OUTLINE_WIDTH = 1.6;
const BRAIN_LABEL = 1;

/**
 * Masks drawn as outlines on a canvas above the viewport, placed by the viewport's own world-to-canvas projection.
 * Cornerstone's labelmap has one fill and one outline colour a segment, neither hatch nor dash; and vectors stay crisp
 * at every zoom and cost nothing on the graphics card.
 */
export class OverlayLayer {
  readonly #context: CanvasRenderingContext2D;
  readonly #heat = new HeatPainter();
  #patterns: { ratio: number; of: Map<PaintStyle, CanvasPattern | null> } = { ratio: 0, of: new Map() };
  #paths = new WeakMap<LabelVolume, Map<string, Path2D>>();

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser draws no 2D canvas, which the overlay needs.");
    this.#context = context;
  }

  /** Draws one plane of the scene; true when there were lesions to draw. */
  draw(scene: OverlayScene, index: number, project: Project): boolean {
    const ratio = this.#clear();
    this.canvas.dataset["slice"] = String(index + 1);
    if (index < 0 || scene.isHidden) return false;
    const matrix = planeMatrix(scene.affine, scene.plane, index, project);
    const { settings, plane } = scene;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (scene.heat) this.#heat.draw(this.#context, scene.heat, { axis: plane, index }, matrix);
    if (scene.brain && settings.isBrainShown) this.#drawBrain(this.#placed(scene.brain, plane, index, BRAIN_LABEL, matrix));
    if (settings.isShown) this.#drawLesions(scene, index, matrix);
    if (plane === 0 && scene.mark) this.#drawMark(scene.mark.boxes.get(index), scene.mark.axis, index, matrix);
    if (scene.crossing) drawCrossing(this.#context, scene.crossing, matrix, this.canvas.clientWidth, this.canvas.clientHeight);
    return scene.labels !== null;
  }

  /**
   * Empties the canvas by drawing nothing over all of it. Chromium (156, software rendering) drops a clearRect of the whole
   * canvas when nothing visible is drawn after it, and shows the frame before the last: lesions of another slice.
   */
  #clear(): number {
    const ratio = deviceRatio();
    const [width, height] = [Math.round(this.canvas.clientWidth * ratio), Math.round(this.canvas.clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.globalAlpha = 1;
    this.#context.globalCompositeOperation = "copy";
    this.#context.fillStyle = "transparent";
    this.#context.fillRect(0, 0, width, height);
    this.#context.globalCompositeOperation = "source-over";
    if (this.#patterns.ratio !== ratio) this.#patterns = { ratio, of: new Map() };
    return ratio;
  }

  #drawLesions({ labels, painting, settings, plane }: OverlayScene, index: number, matrix: DOMMatrix): void {
    const paint = (mask: LabelVolume, value: number, style: PaintStyle, opacity: number) => {
      const path = this.#placed(mask, plane, index, value, matrix);
      if (settings.style !== "outline") this.#fill(path, style, opacity);
      if (settings.style !== "fill") this.#outline(path, style, opacity);
    };
    if (painting) {
      for (const [value, style] of painting.styles) paint(painting.labels, value, style, 0.9);
    } else if (labels) {
      for (const lesionClass of LESION_CLASSES) {
        if (!settings.shownClasses[lesionClass]) continue;
        paint(labels, LABEL_OF_CLASS[lesionClass], CLASS_STYLES[lesionClass], settings.opacity[lesionClass]);
      }
    }
    this.#context.globalAlpha = 1;
  }

  #fill(path: Path2D, style: PaintStyle, opacity: number): void {
    const context = this.#context;
    context.globalAlpha = opacity * style.fillShare;
    context.fillStyle = style.color;
    context.fill(path, "evenodd");
    const pattern = this.#patternOf(style);
    if (!pattern) return;
    pattern.setTransform(new DOMMatrix().scaleSelf(1 / this.#patterns.ratio));
    context.globalAlpha = opacity;
    context.fillStyle = pattern;
    context.fill(path, "evenodd");
  }

  #patternOf(style: PaintStyle): CanvasPattern | null {
    const { ratio, of } = this.#patterns;
    const pattern = of.get(style) ?? patternOf(this.#context, style, ratio);
    of.set(style, pattern);
    return pattern;
  }

  #outline(path: Path2D, { color, dash }: PaintStyle, opacity: number): void {
    const context = this.#context;
    context.globalAlpha = Math.min(1, opacity + 0.2);
    this.#stroke(path, "rgb(0 0 0 / 55%)", OUTLINE_WIDTH + 1.6, []);
    this.#stroke(path, color, OUTLINE_WIDTH, dash);
  }

  #drawBrain(path: Path2D): void {
    this.#stroke(path, "rgb(0 0 0 / 50%)", 2.4, []);
    this.#stroke(path, BRAIN_COLOR, 1, [1, 3]);
  }

  #stroke(path: Path2D, color: string, width: number, dash: readonly number[]): void {
    this.#context.strokeStyle = color;
    this.#context.lineWidth = width;
    this.#context.lineJoin = "round";
    this.#context.setLineDash([...dash]);
    this.#context.stroke(path);
  }

  #drawMark(box: SliceBox | undefined, axis: LongestAxis | null, index: number, matrix: DOMMatrix): void {
    if (box) drawBrackets(this.#context, box, matrix);
    if (box && axis) drawAxis(this.#context, axis, index, matrix);
  }

  #placed(labels: LabelVolume, plane: PlaneAxis, index: number, label: number, matrix: DOMMatrix): Path2D {
    const placed = new Path2D();
    placed.addPath(this.#pathOf(labels, plane, index, label), matrix);
    return placed;
  }

  /** The outline in columns and rows of the picture, made once a plane and label. */
  #pathOf(labels: LabelVolume, plane: PlaneAxis, index: number, label: number): Path2D {
    const paths = this.#paths.get(labels) ?? new Map<string, Path2D>();
    this.#paths.set(labels, paths);
    const key = `${plane}/${index}/${label}`;
    const path = paths.get(key) ?? pathOfLoops(outlineLoops(...pictureOf(labels, plane, index), label));
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

/** Columns and rows of a picture to CSS pixels: exact, since the projection of a plane is affine. */
function planeMatrix(affine: Affine, axis: PlaneAxis, index: number, project: Project): DOMMatrix {
  const [down, across] = picturesAxes(axis);
  const at = (rows: number, columns: number) => {
    const voxel: [number, number, number] = [0, 0, 0];
    voxel[axis] = index;
    voxel[down] = rows;
    voxel[across] = columns;
    return project(toWorld(affine, voxel));
  };
  const [originX, originY] = at(0, 0);
  const [rowX, rowY] = at(100, 0);
  const [columnX, columnY] = at(0, 100);
  return new DOMMatrix([
    (columnX - originX) / 100, (columnY - originY) / 100, (rowX - originX) / 100, (rowY - originY) / 100, originX, originY,
  ]);
}
