import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";

import { point3, toWorldDirection } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { boxesOf } from "../geometry/lesion_extent";
import { sideOf } from "../geometry/orientation";
import { planesProblemOf } from "../geometry/reslice";
import type { CountsBySlice } from "../geometry/slice_order";
import type { LesionChange, StudyChanges } from "../server/longitudinal";
import type { DicomJson } from "../server/pixel_format";
import type { Annotation, Lesion, SliceStack, StudyDetail } from "../server/types";
import { newestFirst, shownChange, useChangePaintings, useStudyChanges, type ChangePaintings } from "../state/change_view";
import { layoutOf, type Hangable } from "../state/hanging";
import { useLesionMark, type LesionMark } from "../state/lesion_marks";
import { probabilityQuery } from "../state/longitudinal";
import { usePanes } from "../state/panes";
import { readNow, useReading } from "../state/reading";
import { CHANGE_PAINT } from "../viewport/change_paint";
import type { Heat } from "../viewport/heat_painter";
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
  const areAllHere = usePanes((panes) => panes.areSlicesHere);
  const changes = useStudyChanges(study);
  const paintings = useChangePaintings(study, changes, slices);
  const change = useShownChange(changes);
  useEffect(() => usePanes.getState().compare(changes), [changes]);
  useEffect(() => () => usePanes.getState().tellSlicesHere(false), []);
  useEffect(() => usePanes.getState().begin(study.id), [study.id]);
  useEffect(() => keepPanesTogether(), []);
  useEffect(() => usePanes.getState().hang(layout), [layout]);
  return (
    <div className={styles.stage}>
      <div ref={box} className={styles.panes} data-layout={layout} data-testid="panes">
        {width > 0 && <CurrentPane {...props} isAlone={layout === "single"} paintings={paintings} change={change} onAllSlices={() => usePanes.getState().tellSlicesHere(true)} />}
        {(layout === "prior" || layout === "three") && (
          <PriorPane study={study} slices={slices} isWaiting={!areAllHere} paintings={paintings} chosenLesions={change?.prior_lesions ?? NONE} />
        )}
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
  const priors = newestFirst(study.priors).map(({ id }) => id).join();
  useEffect(
    () => usePanes.getState().offer({ hasPrior, hasPostContrast, planesProblem }, priors.split(",").filter(Boolean)),
    [hasPrior, hasPostContrast, planesProblem, priors],
  );
  return { hasPrior, hasPostContrast, planesProblem };
}

const NONE: readonly number[] = [];

/** The change that the reader looks at. A lesion that is selected anew is what is looked at, whatever change was chosen before. */
function useShownChange(changes: StudyChanges | null): LesionChange | null {
  const selected = useReading((reading) => reading.selectedLesion);
  const chosen = usePanes((panes) => panes.chosenChange);
  return shownChange(changes, chosen, selected);
}

interface CurrentPaneProps extends ReadingPanesProps {
  readonly isAlone: boolean;
  readonly paintings: ChangePaintings | null;
  readonly change: LesionChange | null;
  onAllSlices(): void;
}

function CurrentPane({ study, shownSeries, slices, labels, lesions, isAlone, paintings, change, ...props }: CurrentPaneProps) {
  const description = study.series.find(({ id }) => id === shownSeries)?.series_description ?? "";
  const selected = useReading((reading) => reading.selectedLesion);
  const chosen = useLesionMark(labels, lesions, selected === null ? NONE : [selected], slices.affine);
  const mark = useMemo(() => chosen ?? resolvedMark(change, paintings, slices), [chosen, change, paintings, slices]);
  const heat = useHeat(props.annotation, slices);
  const painting = useMemo(() => (paintings && labels ? { labels: paintings.current, styles: CHANGE_PAINT } : null), [paintings, labels]);
  return (
    <Pane
      pane="current"
      header={isAlone ? null : <PaneHeader title="Current" date={study.study_date} description={description} />}
      caption={isAlone ? description : null}
      slices={slices} attributes={props.attributes} startSlice={props.startSlice} labels={labels} painting={painting} heat={heat} brain={props.brain} mark={mark}
      onStack={props.onStack} onAllSlices={props.onAllSlices} onError={props.onError}
    />
  );
}

/** The probability that the network gave, fetched once it is to be seen; a reader's version shows that of the version it grew from. */
function useHeat(annotation: Annotation | null, { shape }: SliceStack): Heat | null {
  const { isHeatShown, heatThreshold } = useReading((reading) => reading.overlay);
  const source = annotation?.model ? annotation.id : (annotation?.base ?? null);
  const probability = useQuery({ ...probabilityQuery(source ?? "", shape), enabled: isHeatShown && source !== null }).data;
  return useMemo(
    () => (isHeatShown && probability ? { probability: { shape: point3(shape), voxels: probability }, threshold: heatThreshold } : null),
    [isHeatShown, probability, shape, heatThreshold],
  );
}

/** A resolved lesion is bracketed where it had been. */
function resolvedMark(change: LesionChange | null, paintings: ChangePaintings | null, { shape }: SliceStack): LesionMark | null {
  if (change?.change !== "resolved" || !paintings) return null;
  return { boxes: boxesOf(paintings.carried(change), point3(shape)), axis: null };
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
