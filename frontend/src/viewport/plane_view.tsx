import { useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState, type PointerEvent, type RefObject } from "react";

import { toVoxel, toWorldDirection, type Point3 } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { sideOf } from "../geometry/orientation";
import type { Grid } from "../geometry/registration";
import { cutSlices, paintGray, picturesAxes, placePicture, planeName, turnOf, unitStep, type Placement } from "../geometry/reslice";
import { rangeOf } from "../geometry/windowing";
import { paneStore, usePanes } from "../state/panes";
import { readNow, useReading } from "../state/reading";
import { deviceRatio } from "./exact_geometry";
import type { Heat } from "./heat_painter";
import { loadedSlices, middleOf } from "./loaded_slices";
import { OverlayLayer, type OverlayScene, type Painting } from "./overlay_layer";
import type { EdgeLetters } from "./reading_stack";
import { Letters } from "./edge_letters";
import styles from "./plane_view.module.css";

/** The axes of the volume that the study's own pane does not stand on. */
export type CutAxis = 1 | 2;

interface PlaneViewProps {
  readonly axis: CutAxis;
  readonly grid: Grid;
  readonly imageIds: readonly string[];
  readonly labels: LabelVolume | null;
  readonly painting: Painting | null;
  readonly heat: Heat | null;
  readonly brain: LabelVolume | null;
}

/** One plane across the slices: drawn from those in memory, a drag moves the place where the planes cross. */
export function PlaneView({ axis, grid, imageIds, labels, painting, heat, brain }: PlaneViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const layer = useRef<OverlayLayer>(null);
  const size = useSize(box);
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  const crossing = usePanes((panes) => panes.crossing);
  const [row, column] = crossing ?? middleOf(grid.shape);
  const voxel: Point3 = [sliceIndex, row, column];
  const index = voxel[axis];
  const window = paneStore("current")((shown) => shown.window);
  const isInverted = paneStore("current")((shown) => shown.isInverted);
  const settings = useReading((reading) => reading.overlay);
  const isHidden = useReading((reading) => reading.isOverlayHeld);
  const placement = useMemo(() => placePicture(grid, axis, size.width, size.height), [grid, axis, size]);
  const cut = useMemo(() => cutSlices(loadedSlices(imageIds), grid.shape, { axis, index }), [imageIds, grid, axis, index]);

  useLayoutEffect(() => {
    if (!picture.current || !window || size.width === 0) return;
    const { lower, upper } = rangeOf(window);
    drawPicture(picture.current, cut, grid.shape[picturesAxes(axis)[1]], placement, { lower, upper, isInverted });
  }, [cut, window, isInverted, placement, size, axis, grid]);

  const [down, across] = picturesAxes(axis);
  const [crossDown, crossAcross] = [voxel[down], voxel[across]];
  const scene = useMemo<OverlayScene>(
    () => ({ affine: grid.affine, plane: axis, labels, painting, heat, brain, settings, isHidden, mark: null, crossing: [crossDown, crossAcross] }),
    [grid, axis, labels, painting, heat, brain, settings, isHidden, crossDown, crossAcross],
  );
  useLayoutEffect(() => {
    if (!overlay.current || size.width === 0) return;
    layer.current ??= new OverlayLayer(overlay.current);
    layer.current.draw(scene, index, (world) => {
      const place = toVoxel(grid.affine, world);
      return placement.toPane(place[down], place[across]);
    });
  }, [scene, index, placement, size, grid, down, across]);

  const moveTo = (event: PointerEvent<HTMLElement>) => {
    if (event.buttons !== 1 || size.width === 0) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const [toDown, toAcross] = placement.toPicture(event.clientX - left, event.clientY - top);
    const moved: [number, number, number] = [...voxel];
    moved[down] = toDown;
    moved[across] = toAcross;
    showVoxel(moved, grid);
  };
  useWheel(box, (steps) => {
    const moved: [number, number, number] = [...voxel];
    moved[axis] += steps;
    showVoxel(moved, grid);
  });
  const letters = useMemo(() => lettersOf(grid, axis), [grid, axis]);
  const name = planeName(grid.affine, axis);
  return (
    <div
      ref={box} className={styles.plane} data-testid={`plane-${axis}`} role="img" aria-label={`${name} plane ${index + 1} of ${grid.shape[axis]}`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        moveTo(event);
      }}
      onPointerMove={moveTo}
    >
      <canvas ref={picture} className={styles.picture} aria-hidden />
      <canvas ref={overlay} className={styles.picture} aria-hidden />
      <Letters letters={letters} />
      <div className={styles.name}>{name}</div>
      <div className={styles.index}>{`${index + 1} / ${grid.shape[axis]}`}</div>
    </div>
  );
}

/** Every plane goes through this voxel. */
function showVoxel([slice, row, column]: Point3, { shape }: Grid): void {
  const within = (place: number, size: number) => Math.min(size - 1, Math.max(0, Math.round(place)));
  usePanes.getState().cross(within(row, shape[1]), within(column, shape[2]));
  readNow().goTo(slice);
}

interface Gray {
  readonly lower: number;
  readonly upper: number;
  readonly isInverted: boolean;
}

/** The picture at its own size first, then turned and stretched into the pane in one step. */
function drawPicture(canvas: HTMLCanvasElement, cut: Float32Array, columns: number, placement: Placement, { lower, upper, isInverted }: Gray): void {
  const ratio = deviceRatio();
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const small = new OffscreenCanvas(columns, cut.length / columns);
  const pen = small.getContext("2d");
  const context = canvas.getContext("2d");
  const pixels = pen?.createImageData(small.width, small.height);
  if (!pen || !context || !pixels) return;
  paintGray(cut, lower, upper, isInverted, pixels.data);
  pen.putImageData(pixels, 0, 0);
  const [originX, originY] = placement.toPane(-0.5, -0.5);
  const [downX, downY] = placement.toPane(0.5, -0.5);
  const [acrossX, acrossY] = placement.toPane(-0.5, 0.5);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.transform(acrossX - originX, acrossY - originY, downX - originX, downY - originY, originX, originY);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0);
}

function lettersOf({ affine }: Grid, axis: CutAxis): EdgeLetters {
  const { isTransposed, isRowFlipped, isColumnFlipped } = turnOf(affine, axis);
  const [down, across] = picturesAxes(axis).map((step) => toWorldDirection(affine, unitStep(step)));
  const [vertical, horizontal] = isTransposed ? [across, down] : [down, across];
  const side = (direction: Point3 = [0, 0, 0], sign = 1) => sideOf([sign * direction[0], sign * direction[1], sign * direction[2]]);
  return {
    top: side(vertical, isRowFlipped ? 1 : -1), bottom: side(vertical, isRowFlipped ? -1 : 1),
    left: side(horizontal, isColumnFlipped ? 1 : -1), right: side(horizontal, isColumnFlipped ? -1 : 1),
  };
}

function useSize(element: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const measured = element.current;
    if (!measured) return;
    const observer = new ResizeObserver(() => setSize({ width: measured.clientWidth, height: measured.clientHeight }));
    observer.observe(measured);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

function useWheel(element: RefObject<HTMLElement | null>, move: (steps: number) => void): void {
  const moved = useEffectEvent(move);
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      moved(Math.sign(event.deltaY));
    };
    const target = element.current;
    target?.addEventListener("wheel", onWheel, { passive: false });
    return () => target?.removeEventListener("wheel", onWheel);
  }, [element]);
}
