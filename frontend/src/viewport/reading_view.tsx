import { useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";

import { point3 } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { centreOut } from "../geometry/slice_order";
import type { GrayWindow } from "../geometry/windowing";
import type { DicomJson } from "../server/pixel_format";
import type { SliceStack } from "../server/types";
import type { LesionMark } from "../state/lesion_marks";
import { useComparison } from "../state/comparison";
import { paneStore, usePanes, type PaneId } from "../state/panes";
import { readNow, useReading } from "../state/reading";
import { markOnce } from "../state/timing";
import { Letters } from "./edge_letters";
import { imageIdsOf } from "./frame_loader";
import type { DragGestures } from "./gestures";
import type { Heat } from "./heat_painter";
import { middleOf } from "./loaded_slices";
import { closePane, openPane } from "./open_panes";
import { followView } from "./pane_links";
import { OverlayLayer, type OverlayScene, type Painting } from "./overlay_layer";
import { DIFFERENCE_PAINT } from "./overlay_style";
import { ReadingStack, type EdgeLetters } from "./reading_stack";
import styles from "./reading_view.module.css";

export interface ReadingViewProps {
  readonly pane: PaneId;
  readonly slices: SliceStack;
  readonly attributes: ReadonlyMap<string, DicomJson>;
  readonly startSlice: number;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  /** Drawn in place of the labels. */
  readonly painting?: Painting | null;
  readonly heat?: Heat | null;
  readonly mark: LesionMark | null;
  /** The open stack, for keys and buttons; null once it is closed. */
  onStack(stack: ReadingStack | null): void;
  /** Every slice is in memory. */
  onAllSlices(): void;
  onError(error: Error): void;
}

/** The slices of one series with the overlay above them, following what its pane is told to show. */
export function ReadingView(props: ReadingViewProps) {
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<OverlayLayer>(null);
  const stack = useRef<ReadingStack>(null);
  const gestures = useRef<DragGestures>(null);
  const [letters, setLetters] = useState<EdgeLetters | null>(null);
  const [isDrawn, setIsDrawn] = useState(false);
  const { pane } = props;
  const dragTool = useReading((reading) => reading.dragTool);
  const overlay = useReading((reading) => reading.overlay);
  const isHeld = useReading((reading) => reading.isOverlayHeld);

  const { labels, brain, mark, slices, painting = null, heat = null } = props;
  const compared = useComparison((comparison) => comparison.difference);
  const difference = useMemo(
    () => (pane === "current" && labels && compared ? { labels: compared, styles: DIFFERENCE_PAINT } : null),
    [pane, labels, compared],
  );
  const crossing = useCrossing(pane, slices);
  const scene = useMemo<OverlayScene>(
    () => ({ affine: slices.affine, plane: 0, labels, painting: difference ?? painting, brain, heat, settings: overlay, isHidden: isHeld, mark, crossing }),
    [slices, labels, difference, painting, brain, heat, overlay, isHeld, mark, crossing],
  );

  const drawOverlay = useEffectEvent((drawn: OverlayScene) => {
    const shown = stack.current;
    if (!shown || shown.drawnSlice < 0 || !layer.current) return;
    const isOverlayDrawn = layer.current.draw(drawn, shown.drawnSlice, (world) => shown.project(world));
    if (isOverlayDrawn && pane === "current") markOnce("overlayDrawnAt");
  });

  const onDrawn = useEffectEvent(() => {
    if (!stack.current || stack.current.drawnSlice < 0) return;
    if (!isDrawn && pane === "current") markOnce("firstSliceDrawnAt");
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
      openPane(pane, opening);
      props.onStack(opening);
      await opening.prefetch(centreOut(point3(shape)[0], props.startSlice));
      if (opening.isClosed) return;
      if (pane === "current") {
        opening.fitHead(props.startSlice);
        markOnce("allSlicesAt");
      }
      props.onAllSlices();
    } catch (error) {
      if (!opening.isClosed) props.onError(error instanceof Error ? error : new Error(String(error)));
    }
  });

  const begin = useEffectEvent(() => paneStore(pane).getState().open(point3(slices.shape)[0], props.startSlice));

  const listeners = useEffectEvent(() => ({
    onDrawn: () => onDrawn(),
    onSlice: (index: number) => {
      paneStore(pane).getState().showSlice(index);
      // Where one study is turned against the other, each slice has its middle elsewhere.
      followView(usePanes.getState().activePane);
    },
    onScroll: (index: number) => paneStore(pane).getState().goTo(index),
    onView: () => usePanes.getState().activePane === pane && followView(pane),
    onResized: () => followView(usePanes.getState().activePane),
    onWindow: (window: GrayWindow) => paneStore(pane).getState().showWindow(window),
    onInverted: (isInverted: boolean) => paneStore(pane).getState().showInverted(isInverted),
    onError: (error: Error) => props.onError(error),
  }));

  const closed = useEffectEvent((closing: ReadingStack) => {
    closePane(pane, closing);
    props.onStack(null);
  });

  useEffect(() => {
    if (!element.current || !canvas.current) return;
    begin();
    const opening = new ReadingStack(element.current, imageIdsOf(props.slices, props.attributes), props.slices, listeners());
    stack.current = opening;
    layer.current = new OverlayLayer(canvas.current);
    void opened(opening);
    return () => {
      gestures.current?.detach();
      gestures.current = null;
      stack.current = null;
      setIsDrawn(false);
      closed(opening);
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
    if (!isDrawn) return;
    stack.current?.show(paneStore(pane).getState().sliceIndex);
    return paneStore(pane).subscribe(({ sliceIndex }, before) => sliceIndex !== before.sliceIndex && stack.current?.show(sliceIndex));
  }, [pane, isDrawn]);
  useLayoutEffect(() => drawOverlay(scene), [scene]);

  return (
    <div className={styles.pane} data-testid={testIdOf("viewport", pane)} data-drawn={isDrawn || undefined}>
      <div ref={element} className={styles.element} onContextMenu={(event) => event.preventDefault()} />
      <canvas ref={canvas} className={styles.overlay} data-testid={testIdOf("overlay-canvas", pane)} aria-hidden />
      {letters && <Letters letters={letters} />}
    </div>
  );
}

/** Where the other planes cut the slice; null unless three planes are on the screen. */
function useCrossing(pane: PaneId, { shape }: SliceStack): readonly [number, number] | null {
  const isCrossed = usePanes((panes) => panes.layout === "planes") && pane === "current";
  const crossing = usePanes((panes) => panes.crossing);
  return useMemo(() => (isCrossed ? (crossing ?? middleOf(shape)) : null), [isCrossed, crossing, shape]);
}

/** The study's own pane has the plain name. */
export function testIdOf(name: string, pane: PaneId): string {
  return pane === "current" ? name : `${name}-${pane}`;
}
