import { Loader } from "@mantine/core";
import { lazy, Suspense, useRef } from "react";

import { toWorldDirection } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { sideOf } from "../geometry/orientation";
import type { CountsBySlice } from "../geometry/slice_order";
import type { DicomJson } from "../server/pixel_format";
import type { Series, SliceStack } from "../server/types";
import { readNow, useReading } from "../state/reading";
import { useSliceWheel } from "../tools/wheel";
import type { Mark } from "../viewport/overlay_layer";
import type { ReadingStack } from "../viewport/reading_stack";
import { SliceStrip } from "./slice_strip";
import styles from "./viewer_stage.module.css";

/** Cornerstone comes with this part, asked for as soon as the study page is. */
const readingView = import("../viewport/reading_view");
const ReadingView = lazy(async () => ({ default: (await readingView).ReadingView }));

interface ViewerStageProps {
  readonly series: Series | undefined;
  readonly slices: SliceStack;
  readonly attributes: ReadonlyMap<string, DicomJson>;
  readonly startSlice: number;
  readonly counts: CountsBySlice | null;
  readonly labels: LabelVolume | null;
  readonly brain: LabelVolume | null;
  readonly mark: Mark | null;
  readonly stack: ReadingStack | null;
  onStack(stack: ReadingStack | null): void;
  onError(error: Error): void;
}

/** Slices with what a reader must see on them, and the strip that goes through them. */
export function ViewerStage(props: ViewerStageProps) {
  const { slices, counts, stack } = props;
  const pane = useRef<HTMLDivElement>(null);
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  useSliceWheel(pane, stack);
  return (
    <div className={styles.stage}>
      <div ref={pane} className={styles.pane}>
        <Suspense fallback={<StageLoader />}>
          <ReadingView
            slices={slices} attributes={props.attributes} startSlice={props.startSlice} labels={props.labels} brain={props.brain}
            mark={props.mark} onStack={props.onStack} onError={props.onError}
          />
        </Suspense>
        <Corners slices={slices} series={props.series} sliceIndex={sliceIndex} />
      </div>
      <SliceStrip sliceCount={slices.slices.length} sliceIndex={sliceIndex} counts={counts} ends={endsOf(slices)} onGoTo={(index) => readNow().goTo(index)} />
    </div>
  );
}

export function StageLoader() {
  return (
    <div className={styles.loading} data-testid="stage-loading">
      <Loader size="sm" color="gray" aria-label="Loading slices" />
    </div>
  );
}

function endsOf({ affine }: SliceStack): [string, string] {
  return [sideOf(toWorldDirection(affine, [-1, 0, 0])), sideOf(toWorldDirection(affine, [1, 0, 0]))];
}

function Corners({ slices, series, sliceIndex }: { slices: SliceStack; series: Series | undefined; sliceIndex: number }) {
  const window = useReading((reading) => reading.window);
  const isAwaited = useReading((reading) => reading.drawnSlice !== -1 && reading.drawnSlice !== reading.sliceIndex);
  const position = slices.slices[sliceIndex]?.position_mm?.[2];
  return (
    <div className={styles.corners}>
      <div className={styles.topLeft}>{series?.series_description}</div>
      <div className={styles.bottomLeft}>
        <span className={styles.slice} data-testid="slice-indicator">{`${sliceIndex + 1} / ${slices.slices.length}`}</span>
        {isAwaited && <span className={styles.awaited} role="status">{`Loading slice ${sliceIndex + 1} …`}</span>}
        {position !== undefined && !isAwaited && <span>{`${position >= 0 ? "H" : "F"} ${Math.abs(position).toFixed(1)} mm`}</span>}
      </div>
      <div className={styles.bottomRight}>
        {window && <span data-testid="window-values">{`W ${Math.round(window.width)}  L ${Math.round(window.center)}`}</span>}
      </div>
    </div>
  );
}
