import { Enums, type RenderingEngine, type StackViewport, type Types } from "@cornerstonejs/core";

import { point3, toVoxel, toWorld, type Point3 } from "../geometry/affine";
import { contentBox, type ContentBox } from "../geometry/content_box";
import { sideOf } from "../geometry/orientation";
import type { Grid } from "../geometry/registration";
import { flipsOf, spacingOf } from "../geometry/reslice";
import { sliceWindow, rangeOf, windowOf, type GrayWindow } from "../geometry/windowing";
import type { SliceStack } from "../server/types";
import { ENGINE_ID, sharedEngine, startCornerstone } from "./cornerstone";
import { deviceRatio, fillElement, mmPerPixelAt, placeExactly, watchDeviceRatio, zoomAt } from "./exact_geometry";
import { KeptWindow } from "./kept_window";
import { loadedSlices } from "./loaded_slices";
import { prefetch } from "./prefetch";

export type Point2 = readonly [x: number, y: number];

/** Patient sides at the edges of the viewport. */
export interface EdgeLetters {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

/** The patient position in the middle of the pane, on the plane of the slice, and how large the slice is drawn. */
export interface View {
  readonly focus: Point3;
  readonly mmPerPixel: number;
}

/** What can be done to the measurements on a stack. */
export interface Measuring {
  deleteOne(): void;
  clear(): void;
}

interface Listeners {
  /** After each frame that reached the screen. */
  onDrawn(): void;
  /** Another slice is on the screen. */
  onSlice(sliceIndex: number): void;
  /** A gesture on the pane asks for another slice. */
  onScroll(sliceIndex: number): void;
  /** The slice was moved or zoomed, by whatever gesture. */
  onView(): void;
  /** The pane has another size, and the slice in it maybe too. */
  onResized(): void;
  onWindow(window: GrayWindow): void;
  onInverted(isInverted: boolean): void;
  onError(error: Error): void;
}

/** As Cornerstone keeps it, which no size of the pane changes: device pixels to a voxel, and how far the slice was moved, in voxels. */
interface Placing {
  readonly zoom: number;
  readonly pan: Point2;
}

let created = 0;

/** At once, while the slices are still on their way. */
startCornerstone();

/** Air around the head, as a share of its size. */
const MARGIN = 0.08;
/** Slices are never drawn more than so many times larger than they fit: what was taken for the head may be a part of it. */
const MOST_ENLARGED = 2;

/** A view this near to fitting into its pane fits again when the pane changes its size. */
const FIT_TOLERANCE = 1e-3;

/** One stack of slices in one element: the only way to draw, move and measure it. */
export class ReadingStack {
  readonly viewportId: string;
  readonly engineId = ENGINE_ID;
  readonly grid: Grid;
  /** Set by the gestures, which come after the first slice. */
  measuring: Measuring | null = null;
  readonly #engine: RenderingEngine;
  readonly #viewport: StackViewport;
  readonly #stopped = new AbortController();
  readonly #resizes: ResizeObserver;
  #drawnSlice = -1;
  readonly #window = new KeptWindow();
  #isInverted = false;
  /** What a fitted slice shows; all of it until every slice is here. */
  #content: ContentBox | null = null;
  #fitted: Placing | null = null;

  constructor(
    readonly element: HTMLDivElement,
    readonly imageIds: string[],
    readonly slices: SliceStack,
    private readonly listeners: Listeners,
  ) {
    created += 1;
    this.viewportId = `stack-${created}`;
    this.grid = { affine: slices.affine, shape: point3(slices.shape) };
    this.#engine = sharedEngine();
    this.#engine.enableElement({ viewportId: this.viewportId, type: Enums.ViewportType.STACK, element });
    this.#viewport = this.#engine.getViewport(this.viewportId) as unknown as StackViewport;
    placeExactly(this.#viewport, this.grid.affine);
    fillElement(this.#viewport);
    this.#listen();
    this.#resizes = new ResizeObserver(() => requestAnimationFrame(() => this.#resize()));
  }

  /** Draws one slice with the window given; the rest of the stack is not fetched yet. */
  async open(sliceIndex: number, window: GrayWindow): Promise<void> {
    await this.#viewport.setStack(this.imageIds, sliceIndex);
    if (this.#stopped.signal.aborted) return;
    this.#fit();
    this.setWindow(window);
    this.#resizes.observe(this.element);
    watchDeviceRatio(() => this.#resize(), this.#stopped.signal);
  }

  /** Every slice is in memory once this resolves, in the order given. */
  async prefetch(order: readonly number[]): Promise<void> {
    const imageIds = order.flatMap((index) => this.imageIds[index] ?? []);
    await prefetch(imageIds, this.#stopped.signal);
  }

  get isClosed(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** The slice whose pixels are on the screen; -1 before the first. */
  get drawnSlice(): number {
    return this.#drawnSlice;
  }

  show(sliceIndex: number): void {
    if (sliceIndex === this.#viewport.getCurrentImageIdIndex()) return;
    this.#viewport.setImageIdIndex(sliceIndex).catch((error: unknown) => this.#fail(error));
  }

  setWindow(window: GrayWindow): void {
    this.#window.keep(window);
    this.#viewport.setProperties({ voiRange: rangeOf(window) });
    this.#viewport.render();
    this.listeners.onWindow(window);
  }

  /** The window by the brightness of the slice on the screen. */
  autoWindow(): void {
    const pixels = this.#viewport.getCornerstoneImage()?.getPixelData();
    if (pixels) this.setWindow(sliceWindow(pixels));
  }

  invert(): void {
    this.#isInverted = !this.#isInverted;
    this.#viewport.setProperties({ invert: this.#isInverted });
    this.#viewport.render();
    this.listeners.onInverted(this.#isInverted);
  }

  zoomBy(factor: number): void {
    this.#viewport.setZoom(this.#viewport.getZoom() * factor);
    this.#viewport.render();
  }

  get zoom(): number {
    return this.#viewport.getZoom();
  }

  /** The head fills the pane, once every slice is in memory; a reader who has moved or scrolled already is left alone. */
  fitHead(startSlice: number): void {
    const isUntouched = this.#isFitted() && this.#drawnSlice === startSlice;
    this.#content = contentBox(loadedSlices(this.imageIds), this.grid.shape, this.slices.window);
    if (isUntouched) this.resetCamera();
  }

  /** Fits the slice into the element, centred and upright: the head where it is known, else all of it. */
  resetCamera(): void {
    this.#fit();
    this.#viewport.render();
    this.listeners.onView();
  }

  /** The series' own window, right way round, and the slice fitted into the element. */
  reset(): void {
    if (this.#isInverted) this.invert();
    this.setWindow(this.slices.window);
    this.resetCamera();
  }

  /** Removes the measurement that is selected, else the one that was made last; told by the gestures once they are here. */
  deleteMeasurement(): void {
    this.measuring?.deleteOne();
  }

  clearMeasurements(): void {
    this.measuring?.clear();
  }

  get view(): View {
    return { focus: this.worldAt(this.#middle), mmPerPixel: mmPerPixelAt(this.#viewport.getZoom(), this.grid.affine) };
  }

  /** Moves the camera along the plane of the slice and draws at that size; nothing is drawn when nothing changes. */
  look({ focus, mmPerPixel }: View): void {
    const { focalPoint, position } = this.#viewport.getCamera();
    if (!focalPoint || !position) return;
    const now = this.view;
    const shift = along(focus, now.focus);
    if (Math.hypot(...shift) < FIT_TOLERANCE && Math.abs(mmPerPixel / now.mmPerPixel - 1) < FIT_TOLERANCE) return;
    const scale = zoomAt(mmPerPixel, this.grid.affine);
    this.#viewport.setCamera({ focalPoint: sum(focalPoint, shift), position: sum(position, shift), scale });
    this.#viewport.render();
  }

  redraw(): void {
    this.#viewport.render();
  }

  /** Where a patient position lies in the element, in CSS pixels from its upper left corner. */
  project(world: Point3): Point2 {
    const [x, y] = this.#viewport.worldToCanvas([...world]);
    return [x, y];
  }

  /** The patient position in mm that lies under a point of the element, on the plane of the slice that is shown. */
  worldAt([x, y]: Point2): Point3 {
    return point3(this.#viewport.canvasToWorld([x, y]));
  }

  /** Fractional slice, row and column under a point of the element; null before the first slice. */
  voxelAt(point: Point2): Point3 | null {
    if (this.#drawnSlice < 0) return null;
    const [, row, column] = toVoxel(this.grid.affine, this.worldAt(point));
    return [this.#drawnSlice, row, column];
  }

  get edgeLetters(): EdgeLetters {
    const { clientWidth: width, clientHeight: height } = this.element;
    const at = (x: number, y: number) => this.#viewport.canvasToWorld([x, y]);
    const origin = at(0, 0);
    const towards = (target: Types.Point3, sign: number) =>
      sideOf([sign * (target[0] - origin[0]), sign * (target[1] - origin[1]), sign * (target[2] - origin[2])]);
    const [right, bottom] = [at(width, 0), at(0, height)];
    return { left: towards(right, -1), right: towards(right, 1), top: towards(bottom, -1), bottom: towards(bottom, 1) };
  }

  close(): void {
    this.#stopped.abort();
    this.#resizes.disconnect();
    this.#engine.disableElement(this.viewportId);
  }

  #listen(): void {
    const options = { signal: this.#stopped.signal };
    const on = (name: string, listener: (event: CustomEvent) => void) =>
      this.element.addEventListener(name, (event) => listener(event as CustomEvent), options);
    on(Enums.Events.STACK_NEW_IMAGE, ({ detail }) => this.#changedSlice(detail.imageIdIndex));
    on(Enums.Events.STACK_VIEWPORT_SCROLL, ({ detail }) => this.listeners.onScroll(detail.newImageIdIndex));
    on(Enums.Events.CAMERA_MODIFIED, () => this.#drawnSlice >= 0 && this.listeners.onView());
    on(Enums.Events.IMAGE_RENDERED, () => this.#rendered());
    on(Enums.Events.VOI_MODIFIED, ({ detail }) => {
      const window = windowOf(detail.range.lower, detail.range.upper);
      this.#window.keep(window);
      this.listeners.onWindow(window);
    });
  }

  /** A slice that filled its pane fills it again; one that the reader moved or zoomed stays where it was. */
  #resize(): void {
    if (this.isClosed) return;
    const isFitted = this.#isFitted();
    const grown = fillElement(this.#viewport);
    if (isFitted) this.#fit();
    else this.#viewport.setZoom(this.#viewport.getZoom() * grown);
    this.#viewport.render();
    this.listeners.onResized();
  }

  /** Upright however the slices were stored: Cornerstone shows them as stored, and again after each reset. */
  #fit(): void {
    this.#viewport.resetCamera();
    this.#viewport.setCamera(flipsOf(this.slices.affine));
    if (this.#content) this.look(this.#viewOf(this.#content));
    this.#fitted = this.#placing;
  }

  #isFitted(): boolean {
    const [now, fitted] = [this.#placing, this.#fitted];
    if (!fitted) return true;
    return Math.abs(now.zoom / fitted.zoom - 1) < FIT_TOLERANCE && Math.hypot(now.pan[0] - fitted.pan[0], now.pan[1] - fitted.pan[1]) < FIT_TOLERANCE;
  }

  get #placing(): Placing {
    const [x, y] = this.#viewport.getPan();
    return { zoom: this.#viewport.getZoom(), pan: [x, y] };
  }

  /** The middle of the canvas, which a pane that was given another size in this moment does not fill yet. */
  get #middle(): Point2 {
    const { width, height } = this.#viewport.canvas;
    return [width / 2 / deviceRatio(), height / 2 / deviceRatio()];
  }

  /** The box in the middle of the pane, with some air around it, no smaller than the whole slice would be. */
  #viewOf({ rows, columns }: ContentBox): View {
    const [, tall, wide] = spacingOf(this.grid.affine);
    const { clientWidth: width, clientHeight: height } = this.element;
    const air = 1 + MARGIN;
    const mmPerPixel = Math.max(((rows[1] - rows[0] + 1) * tall * air) / height, ((columns[1] - columns[0] + 1) * wide * air) / width);
    const whole = this.view.mmPerPixel;
    if (mmPerPixel >= whole) return this.view;
    const slice = Math.max(0, this.#drawnSlice);
    const focus = toWorld(this.grid.affine, [slice, (rows[0] + rows[1]) / 2, (columns[0] + columns[1]) / 2]);
    return { focus, mmPerPixel: Math.max(mmPerPixel, whole / MOST_ENLARGED) };
  }

  /** Told here and not where the slice changes: only once that is done has Cornerstone forgotten. */
  #rendered(): void {
    const window = this.#window.recall();
    if (window) this.#viewport.setProperties({ voiRange: rangeOf(window) }, true);
    this.listeners.onDrawn();
  }

  #changedSlice(sliceIndex: number): void {
    this.#drawnSlice = sliceIndex;
    this.#window.forget();
    this.listeners.onSlice(sliceIndex);
  }

  #fail(error: unknown): void {
    if (!this.isClosed) this.listeners.onError(error instanceof Error ? error : new Error(String(error)));
  }
}

function sum([x, y, z]: Types.Point3, [dx, dy, dz]: Point3): Types.Point3 {
  return [x + dx, y + dy, z + dz];
}

function along(to: Point3, from: Point3): Point3 {
  return [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
}
