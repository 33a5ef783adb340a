import { useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";

import { point3 } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { centreOut } from "../geometry/slice_order";
import type { DicomJson } from "../server/pixel_format";
import type { SliceStack } from "../server/types";
import { readNow, useReading } from "../state/reading";
import { markOnce } from "../state/timing";
import { imageIdsOf } from "./frame_loader";
import type { DragGestures } from "./gestures";
import { OverlayLayer, type Mark, type OverlayScene } from "./overlay_layer";
import { ReadingStack, type EdgeLetters } from "./reading_stack";
import styles from "./reading_view.module.css";

export interface ReadingViewProps {
  readonly slices: SliceStack;
  readonly attributes: ReadonlyMap<string, DicomJson>;
  readonly startSlice: number;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  readonly mark: Mark | null;
  /** The open stack, for keys and buttons; null once it is closed. */
  onStack(stack: ReadingStack | null): void;
  onError(error: Error): void;
}

/** The slices of one series with the overlay above them, following the reading state. */
export function ReadingView(props: ReadingViewProps) {
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<OverlayLayer>(null);
  const stack = useRef<ReadingStack>(null);
  const gestures = useRef<DragGestures>(null);
  const [letters, setLetters] = useState<EdgeLetters | null>(null);
  const [isDrawn, setIsDrawn] = useState(false);
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  const dragTool = useReading((reading) => reading.dragTool);
  const overlay = useReading((reading) => reading.overlay);
  const isHeld = useReading((reading) => reading.isOverlayHeld);

  const { labels, brain, mark, slices } = props;
  const scene = useMemo<OverlayScene>(
    () => ({ affine: slices.affine, labels, brain, settings: overlay, isHidden: isHeld, mark }),
    [slices, labels, brain, overlay, isHeld, mark],
  );

  const drawOverlay = useEffectEvent((drawn: OverlayScene) => {
    const shown = stack.current;
    if (!shown || shown.drawnSlice < 0 || !layer.current) return;
    const isOverlayDrawn = layer.current.draw(drawn, shown.drawnSlice, (world) => shown.project(world));
    if (isOverlayDrawn) markOnce("overlayDrawnAt");
  });

  const onDrawn = useEffectEvent(() => {
    if (!stack.current || stack.current.drawnSlice < 0) return;
    if (!isDrawn) markOnce("firstSliceDrawnAt");
    drawOverlay(scene);
    if (isDrawn) return;
    setIsDrawn(true);
    setLetters(stack.current.edgeLetters);
  });

  const opened = useEffectEvent(async (opening: ReadingStack) => {
    const { shape, window } = props.slices;
    try {
      await opening.open(props.startSlice, window);
      if (opening.isClosed) return;
      props.onStack(opening);
      await opening.prefetch(centreOut(point3(shape)[0], props.startSlice));
      if (!opening.isClosed) markOnce("allSlicesAt");
    } catch (error) {
      if (!opening.isClosed) props.onError(error instanceof Error ? error : new Error(String(error)));
    }
  });

  const begin = useEffectEvent(() => readNow().open(point3(slices.shape)[0], props.startSlice));

  const listeners = useEffectEvent(() => ({
    onDrawn: () => onDrawn(),
    onSlice: (index: number) => readNow().showSlice(index),
    onWindow: (window: { center: number; width: number }) => readNow().showWindow(window),
    onError: (error: Error) => props.onError(error),
  }));

  const closed = useEffectEvent(() => props.onStack(null));

  useEffect(() => {
    if (!element.current || !canvas.current) return;
    begin();
    const opening = new ReadingStack(element.current, imageIdsOf(props.slices, props.attributes), props.slices.affine, listeners());
    stack.current = opening;
    layer.current = new OverlayLayer(canvas.current);
    void opened(opening);
    return () => {
      gestures.current?.detach();
      gestures.current = null;
      stack.current = null;
      setIsDrawn(false);
      closed();
      opening.close();
    };
  }, [props.slices, props.attributes]);

  useEffect(() => {
    if (!isDrawn) return;
    let isStale = false;
    void import("./gestures").then(({ DragGestures: Gestures }) => {
      if (isStale || !stack.current) return;
      gestures.current = new Gestures(stack.current);
      gestures.current.choose(readNow().dragTool);
    });
    return () => {
      isStale = true;
    };
  }, [isDrawn]);

  useEffect(() => gestures.current?.choose(dragTool), [dragTool]);
  useEffect(() => {
    if (isDrawn) stack.current?.show(sliceIndex);
  }, [sliceIndex, isDrawn]);
  useLayoutEffect(() => drawOverlay(scene), [scene]);

  return (
    <div className={styles.pane} data-testid="viewport" data-drawn={isDrawn || undefined}>
      <div ref={element} className={styles.element} onContextMenu={(event) => event.preventDefault()} />
      <canvas ref={canvas} className={styles.overlay} data-testid="overlay-canvas" aria-hidden />
      {letters && <Letters letters={letters} />}
    </div>
  );
}

function Letters({ letters }: { letters: EdgeLetters }) {
  return (
    <div className={styles.letters} aria-label={`Orientation: left edge ${letters.left}, top edge ${letters.top}`} role="img">
      <span className={styles.left}>{letters.left}</span>
      <span className={styles.right}>{letters.right}</span>
      <span className={styles.top}>{letters.top}</span>
      <span className={styles.bottom}>{letters.bottom}</span>
    </div>
  );
}
