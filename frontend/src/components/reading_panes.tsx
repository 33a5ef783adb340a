import { useEffect, useRef, useState, type RefObject } from "react";

import { point3, toWorldDirection } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { sideOf } from "../geometry/orientation";
import { planesProblemOf } from "../geometry/reslice";
import type { CountsBySlice } from "../geometry/slice_order";
import type { DicomJson } from "../server/pixel_format";
import type { Annotation, Lesion, SliceStack, StudyDetail } from "../server/types";
import { layoutOf, type Hangable } from "../state/hanging";
import { useLesionMark } from "../state/lesion_marks";
import { usePanes } from "../state/panes";
import { readNow, useReading } from "../state/reading";
import { keepPanesTogether } from "../viewport/pane_links";
import type { ReadingStack } from "../viewport/reading_stack";
import { Pane } from "./pane";
import { PaneHeader } from "./pane_header";
import { ContrastPane, postContrastOf } from "./pane_of_contrast";
import { PriorPane } from "./pane_of_prior";
import styles from "./reading_panes.module.css";
import { SliceStrip } from "./slice_strip";

export { StageLoader } from "./pane";

export interface ReadingPanesProps {
  readonly study: StudyDetail;
  readonly shownSeries: string;
  readonly slices: SliceStack;
  readonly attributes: ReadonlyMap<string, DicomJson>;
  readonly startSlice: number;
  /** The version that the lesions belong to or grew from; null while nothing was read, or another series is shown. */
  readonly annotation: Annotation | null;
  /** As they are now, a draft's edits included; drawn where they lie on the grid of the slices. */
  readonly labels: LabelVolume | null;
  readonly lesions: readonly Lesion[];
  readonly counts: CountsBySlice | null;
  readonly brain: LabelVolume | null;
  /** The stack of the study's own pane, the only one that is edited. */
  onStack(stack: ReadingStack | null): void;
  onError(error: Error): void;
}

/** The study's slices, beside them what hangs with them, and the strip that goes through them. */
export function ReadingPanes(props: ReadingPanesProps) {
  const { study, slices } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const askedLayout = usePanes((panes) => panes.askedLayout);
  const hangable = useHangable(study, slices);
  const layout = layoutOf(askedLayout, hangable, width);
  const [areAllHere, setAllHere] = useState(false);
  useEffect(() => usePanes.getState().begin(study.id), [study.id]);
  useEffect(() => keepPanesTogether(), []);
  useEffect(() => usePanes.getState().hang(layout), [layout]);
  return (
    <div className={styles.stage}>
      <div ref={box} className={styles.panes} data-layout={layout} data-testid="panes">
        {width > 0 && <CurrentPane {...props} isAlone={layout === "single"} onAllSlices={() => setAllHere(true)} />}
        {(layout === "prior" || layout === "three") && <PriorPane study={study} slices={slices} isWaiting={!areAllHere} />}
        {(layout === "contrast" || layout === "three") && <ContrastPane study={study} slices={slices} isWaiting={!areAllHere} />}
      </div>
      <Strip slices={slices} counts={props.counts} />
    </div>
  );
}

/** What the study has to hang, told to the toolbar too. */
function useHangable(study: StudyDetail, slices: SliceStack): Hangable {
  const hasPrior = study.priors.length > 0;
  const hasPostContrast = postContrastOf(study) !== null;
  const planesProblem = planesProblemOf({ affine: slices.affine, shape: point3(slices.shape) });
  useEffect(() => usePanes.getState().offer({ hasPrior, hasPostContrast, planesProblem }), [hasPrior, hasPostContrast, planesProblem]);
  return { hasPrior, hasPostContrast, planesProblem };
}

interface CurrentPaneProps extends ReadingPanesProps {
  readonly isAlone: boolean;
  onAllSlices(): void;
}

function CurrentPane({ study, shownSeries, slices, labels, lesions, isAlone, ...props }: CurrentPaneProps) {
  const description = study.series.find(({ id }) => id === shownSeries)?.series_description ?? "";
  const selected = useReading((reading) => reading.selectedLesion);
  const mark = useLesionMark(labels, lesions, selected === null ? [] : [selected], slices.affine);
  return (
    <Pane
      pane="current"
      header={isAlone ? null : <PaneHeader title="Current" date={study.study_date} description={description} />}
      caption={isAlone ? description : null}
      slices={slices} attributes={props.attributes} startSlice={props.startSlice} labels={labels} brain={props.brain} mark={mark}
      onStack={props.onStack} onAllSlices={props.onAllSlices} onError={props.onError}
    />
  );
}

function Strip({ slices, counts }: { slices: SliceStack; counts: CountsBySlice | null }) {
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  const ends: [string, string] = [sideOf(toWorldDirection(slices.affine, [-1, 0, 0])), sideOf(toWorldDirection(slices.affine, [1, 0, 0]))];
  return <SliceStrip sliceCount={slices.slices.length} sliceIndex={sliceIndex} counts={counts} ends={ends} onGoTo={(index) => readNow().goTo(index)} />;
}

/** 0 until it was measured, before the first frame: no layout is drawn and then another one. */
function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const measured = element.current;
    if (!measured) return;
    const observer = new ResizeObserver(() => setWidth(measured.clientWidth));
    observer.observe(measured);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
