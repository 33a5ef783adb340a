import { lazy, Suspense, useEffect, useRef, type PointerEvent as ReactPointerEvent, type ReactNode } from "react";

import { point3 } from "../geometry/affine";
import { slicePlace } from "../geometry/slice_place";
import type { SliceStack } from "../server/types";
import { paneStore, usePanes, type PaneId } from "../state/panes";
import { useSliceWheel } from "../tools/wheel";
import { openStack } from "../viewport/open_panes";
import type { ReadingViewProps } from "../viewport/reading_view";
import { Loading } from "./loading";
import { followPointer, PaneCursor } from "./pane_cursor";
import styles from "./pane.module.css";

/** Cornerstone comes with this part, asked for as soon as the study page is. */
const readingView = import("../viewport/reading_view");
const ReadingView = lazy(async () => ({ default: (await readingView).ReadingView }));

interface PaneProps extends ReadingViewProps {
  /** Whose slices these are and when they were taken, at the top. */
  readonly header: ReactNode;
  /** What stands at the top left of a pane without a header. */
  readonly caption?: string | null;
}

/** One stack with what a reader must see on it. */
export function Pane({ header, caption = null, ...view }: PaneProps) {
  const { pane, slices } = view;
  const box = useRef<HTMLDivElement>(null);
  const isActive = usePanes((panes) => panes.activePane === pane);
  const isAlone = usePanes((panes) => panes.layout === "single");
  const cross = useCrossOnClick(pane);
  useSliceWheel(box, pane);
  useEffect(() => followPointer(box.current, pane), [pane]);
  return (
    <section className={styles.pane} data-active={(isActive && !isAlone) || undefined} data-pane={pane} aria-label={PANE_NAMES[pane]}>
      {header}
      <div ref={box} className={styles.box} onPointerDown={() => usePanes.getState().activate(pane)} {...cross}>
        <Suspense fallback={<StageLoader />}>
          <ReadingView {...view} />
        </Suspense>
        <PaneCursor pane={pane} />
        <Corners pane={pane} slices={slices} caption={caption} />
      </div>
    </section>
  );
}

/** CSS pixels that a press may move and still be a click. */
const CLICK_PX = 3;

/** A click on the study's own slice lets the other planes go through that place; a drag does what its tool does. */
function useCrossOnClick(pane: PaneId) {
  const pressed = useRef<readonly [number, number]>([0, 0]);
  return {
    onPointerDownCapture: ({ clientX, clientY }: ReactPointerEvent) => {
      pressed.current = [clientX, clientY];
    },
    onPointerUp: ({ clientX, clientY, button, currentTarget }: ReactPointerEvent) => {
      const isClick = button === 0 && Math.hypot(clientX - pressed.current[0], clientY - pressed.current[1]) <= CLICK_PX;
      if (!isClick || pane !== "current" || usePanes.getState().layout !== "planes") return;
      const { left, top } = currentTarget.getBoundingClientRect();
      const voxel = openStack(pane)?.voxelAt([clientX - left, clientY - top]);
      if (voxel) usePanes.getState().cross(Math.round(voxel[1]), Math.round(voxel[2]));
    },
  };
}

const PANE_NAMES: Readonly<Record<PaneId, string>> = { current: "Current study", prior: "Prior study", post_contrast: "T1 after contrast" };

export function StageLoader() {
  return (
    <div className={styles.loading} data-testid="stage-loading">
      <Loading of="slices" color="gray" />
    </div>
  );
}

function Corners({ pane, slices, caption }: { pane: PaneId; slices: SliceStack; caption: string | null }) {
  const { sliceIndex, drawnSlice, window, isInverted, isBeyond } = paneStore(pane)();
  const isAwaited = drawnSlice !== -1 && drawnSlice !== sliceIndex;
  const suffix = pane === "current" ? "" : `-${pane}`;
  return (
    <div className={styles.corners}>
      {isBeyond && <div className={styles.topLeft}><span className={styles.awaited} role="status">Beyond the slices of this study</span></div>}
      {caption && <div className={styles.topLeft}>{caption}</div>}
      <div className={styles.bottomLeft}>
        <span className={styles.slice} data-testid={`slice-indicator${suffix}`}>{`${sliceIndex + 1} / ${slices.slices.length}`}</span>
        {isAwaited && <span className={styles.awaited} role="status">{`Loading slice ${sliceIndex + 1} …`}</span>}
        {!isAwaited && <span data-testid={`slice-place${suffix}`}>{slicePlace({ affine: slices.affine, shape: point3(slices.shape) }, sliceIndex)}</span>}
      </div>
      <div className={styles.bottomRight}>
        {isInverted && <span>Inverted</span>}
        {window && <span data-testid={`window-values${suffix}`}>{`W ${Math.round(window.width)}  L ${Math.round(window.center)}`}</span>}
      </div>
    </div>
  );
}
