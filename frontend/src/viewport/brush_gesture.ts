import type { Point3 } from "../geometry/affine";
import { markStroke } from "../state/timing";
import styles from "./brush_gesture.module.css";
import type { Point2, ReadingStack } from "./reading_stack";

/** What the pointer looks like on the pane: a ring of the brush's size, or a cross. */
export interface BrushCursor {
  /** null for tools without a size. */
  readonly diameterMm: number | null;
  readonly kind: "active" | "inactive" | "eraser";
  /** Whether the way of the pointer is drawn as a line. */
  readonly hasTrail: boolean;
}

export interface StrokeHandlers {
  /** null leaves the pointer to the viewer. */
  cursor(): BrushCursor | null;
  /** Fractional slice, row and column below the pointer, above the pane at any time; null once it left. */
  onPoint(voxel: Point3 | null): void;
  begin(voxel: Point3): void;
  /** Every sample since the last one, in order. */
  extend(voxels: readonly Point3[]): void;
  end(): void;
  cancel(): void;
}

/**
 * Strokes on one pane by mouse, pen or finger. While a tool is chosen the primary button is taken from the viewer before
 * its own gestures see it; other buttons, held modifiers and a second finger are left to it.
 */
export class BrushGesture {
  readonly #stopped = new AbortController();
  readonly #ring = document.createElement("div");
  readonly #trail = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  readonly #line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  #pointer: number | null = null;
  #at: Point2 | null = null;

  constructor(private readonly stack: ReadingStack, private readonly handlers: StrokeHandlers) {
    this.#ring.className = styles["ring"] ?? "";
    this.#ring.dataset["testid"] = "brush-ring";
    this.#trail.setAttribute("class", styles["trail"] ?? "");
    this.#trail.append(this.#line);
    for (const mark of [this.#ring, this.#trail]) {
      mark.setAttribute("aria-hidden", "true");
      stack.element.parentElement?.append(mark);
    }
    this.#listen();
    this.show();
  }

  /** The cursor as the tool is now. */
  show(): void {
    const cursor = this.handlers.cursor();
    this.stack.element.style.cursor = cursor ? "crosshair" : "";
    this.stack.element.dataset["brush"] = cursor?.kind ?? "none";
    const diameter = cursor?.diameterMm ? Math.max(3, cursor.diameterMm / this.stack.view.mmPerPixel) : 0;
    this.#ring.hidden = diameter === 0 || this.#at === null;
    if (!cursor || !this.#at) return;
    const [x, y] = this.#at;
    this.#ring.dataset["kind"] = cursor.kind;
    this.#ring.style.width = this.#ring.style.height = `${diameter}px`;
    this.#ring.style.transform = `translate(${x - diameter / 2}px, ${y - diameter / 2}px)`;
  }

  detach(): void {
    if (this.#pointer !== null) this.handlers.cancel();
    this.#stopped.abort();
    this.#ring.remove();
    this.#trail.remove();
    this.stack.element.style.cursor = "";
  }

  #listen(): void {
    const { element } = this.stack;
    const options = { signal: this.#stopped.signal, capture: true };
    element.addEventListener("pointerdown", (event) => this.#down(event), options);
    element.addEventListener("pointermove", (event) => this.#move(event), options);
    element.addEventListener("pointerup", (event) => this.#up(event, "end"), options);
    element.addEventListener("pointercancel", (event) => this.#up(event, "cancel"), options);
    element.addEventListener("pointerleave", () => this.#leave(), options);
    // The viewer's own gestures listen to these.
    element.addEventListener("mousedown", (event) => this.#isOurs(event) && event.stopPropagation(), options);
    element.addEventListener("touchstart", (event) => this.#touched(event), { ...options, passive: false });
  }

  #isOurs({ button, altKey, ctrlKey, metaKey, shiftKey }: MouseEvent): boolean {
    return this.handlers.cursor() !== null && button === 0 && !altKey && !ctrlKey && !metaKey && !shiftKey;
  }

  #down(event: PointerEvent): void {
    if (this.#pointer !== null) return this.#stop("cancel");
    const voxel = this.#voxelOf(event);
    if (!this.#isOurs(event) || !event.isPrimary || !voxel) return;
    event.preventDefault();
    this.stack.element.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#line.setAttribute("points", "");
    this.#extendTrail([event]);
    this.handlers.begin(voxel);
    markStroke(event.timeStamp);
  }

  #move(event: PointerEvent): void {
    const voxel = this.#voxelOf(event);
    this.handlers.onPoint(voxel);
    this.show();
    if (event.pointerId !== this.#pointer) return;
    const samples = event.getCoalescedEvents?.() ?? [];
    const all = samples.length > 0 ? samples : [event];
    this.#extendTrail(all);
    this.handlers.extend(all.map((sample) => this.#voxelOf(sample)).filter((found) => found !== null));
    markStroke(event.timeStamp);
  }

  #up(event: PointerEvent, how: "end" | "cancel"): void {
    if (event.pointerId === this.#pointer) this.#stop(how);
  }

  #stop(how: "end" | "cancel"): void {
    this.#pointer = null;
    this.#line.setAttribute("points", "");
    this.handlers[how]();
  }

  #leave(): void {
    this.#at = null;
    this.handlers.onPoint(null);
    this.show();
  }

  /** One finger draws; two are the viewer's, and take back what the first had begun. */
  #touched(event: TouchEvent): void {
    if (this.handlers.cursor() === null || event.touches.length > 1) return;
    event.stopPropagation();
    event.preventDefault();
  }

  #voxelOf({ clientX, clientY }: MouseEvent): Point3 | null {
    const { left, top } = this.stack.element.getBoundingClientRect();
    this.#at = [clientX - left, clientY - top];
    return this.stack.voxelAt(this.#at);
  }

  #extendTrail(samples: readonly MouseEvent[]): void {
    if (!this.handlers.cursor()?.hasTrail) return;
    const { left, top } = this.stack.element.getBoundingClientRect();
    const added = samples.map(({ clientX, clientY }) => `${clientX - left},${clientY - top}`);
    this.#line.setAttribute("points", [this.#line.getAttribute("points"), ...added].filter(Boolean).join(" "));
  }
}
