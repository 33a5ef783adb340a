import { lazy, Suspense, useEffect, useRef, useState, type RefObject } from "react";
import { useShallow } from "zustand/react/shallow";

import { point3, toWorldDirection } from "../geometry/affine";
import type { LabelVolume } from "../geometry/labels";
import { sideOf } from "../geometry/orientation";
import { planesProblemOf } from "../geometry/reslice";
import type { CountsBySlice } from "../geometry/slice_order";
import type { DicomJson } from "../server/pixel_format";
import type { Annotation, Lesion, SliceStack, StudyDetail } from "../server/types";
import { newestFirst, useChangePaintings, useChangesNow, useStudyChanges } from "../state/change_view";
import { layoutOf, type Hangable } from "../state/hanging";
import { usePanes } from "../state/panes";
import { readNow, useReading } from "../state/reading";
import { keepPanesTogether, showBeside } from "../viewport/pane_links";
import type { ReadingStack } from "../viewport/reading_stack";
import { ContrastPane, postContrastOf } from "./pane_of_contrast";
import { PriorPane } from "./pane_of_prior";
import { StudyPane } from "./pane_of_study";
import { useScene, useShownChange } from "./pane_scene";
import styles from "./reading_panes.module.css";
import { SliceStrip } from "./slice_strip";

export { StageLoader } from "./pane";

/** What a reader asks for once the slices are there. */
const PlanesColumn = lazy(async () => ({ default: (await import("./pane_of_planes")).PlanesColumn }));
const ChangeLegend = lazy(async () => ({ default: (await import("./change_legend")).ChangeLegend }));
const ThumbnailStrip = lazy(async () => ({ default: (await import("./thumbnail_strip")).ThumbnailStrip }));

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
  const { askedLayout, areSlicesHere, areThumbnailsShown, isChangeView } = usePanes(
    useShallow(({ askedLayout, areSlicesHere, areThumbnailsShown, isChangeView }) => ({ askedLayout, areSlicesHere, areThumbnailsShown, isChangeView })),
  );
  const layout = layoutOf(askedLayout, useHangable(study, slices), width);
  const compared = useStudyChanges(study, props.annotation);
  const paintings = useChangePaintings(study, compared, slices);
  const changes = useChangesNow(compared, props.lesions);
  const change = useShownChange(changes);
  const scene = useScene(props, paintings, change);
  useEffect(() => usePanes.getState().compare(changes), [changes]);
  useEffect(() => usePanes.getState().begin(study.id), [study.id]);
  useEffect(() => () => usePanes.getState().tellSlicesHere(false), []);
  useEffect(() => keepPanesTogether(), []);
  useEffect(() => usePanes.getState().hang(layout), [layout]);
  useLesionInAllPanes(props.lesions);
  const beside = { study, slices, isWaiting: !areSlicesHere };
  return (
    <div className={styles.stage}>
      <div className={styles.column}>
        <div ref={box} className={styles.panes} data-layout={layout} data-testid="panes">
          {width > 0 && <StudyPane {...props} scene={scene} isAlone={layout === "single"} />}
          {(layout === "prior" || layout === "three") && <PriorPane {...beside} paintings={paintings} chosenLesions={change?.prior_lesions ?? NONE} />}
          {(layout === "contrast" || layout === "three") && <ContrastPane {...beside} />}
          <Suspense>{layout === "planes" && areSlicesHere && <PlanesColumn slices={slices} scene={scene} />}</Suspense>
        </div>
        <Suspense>
          {isChangeView && changes && <ChangeLegend changes={changes} />}
          {areThumbnailsShown && areSlicesHere && <ThumbnailStrip slices={slices} counts={props.counts} />}
        </Suspense>
      </div>
      <Strip slices={slices} counts={props.counts} />
    </div>
  );
}

const NONE: readonly number[] = [];

/** The selected lesion is shown in the other panes and planes too, where it lies in the patient and not in the middle of the view. */
function useLesionInAllPanes(lesions: readonly Lesion[]): void {
  const selected = useReading((reading) => reading.selectedLesion);
  const lesion = lesions.find(({ number }) => number === selected);
  const place = lesion && [...lesion.centroid_mm, ...lesion.centroid_index].join();
  useEffect(() => {
    const [x, y, z, , row, column] = place?.split(",").map(Number) ?? [];
    if (x === undefined || y === undefined || z === undefined || row === undefined || column === undefined) return;
    showBeside([x, y, z]);
    usePanes.getState().cross(Math.round(row), Math.round(column));
  }, [place]);
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
