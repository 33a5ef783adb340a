import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { differenceOf, isNoChange, type VoxelEdit } from "../geometry/edits/voxel_edit";
import type { LabelVolume } from "../geometry/labels";
import type { Statement } from "../server/review";
import type { Annotation, Lesion, StudyDetail } from "../server/types";
import { advise } from "./advice";
import { standingContradictions, type Contradiction } from "./contradictions";
import { fetchVersion, sessionOf, statementsOf, watchSession } from "./draft_registry";
import type { DraftSession } from "./draft_session";
import type { Base, Conflict, DraftView, SaveState } from "./draft_view";
import type { Edit } from "./history";
import { sameLesion } from "./lesion_identity";
import { measuredLesions, type Measured } from "./measured_lesions";
import { showPlainMarks } from "./plain_marks";
import { annotationQuery, maskQuery, meQuery } from "./queries";
import { readNow } from "./reading";
import { useStroke } from "./stroke";
import { errorOf, onGrid, useBrain, type StudyReading } from "./study_reading";

/** The study as this reader sees and changes it: the draft where there is one, else its version. */
export interface Drafting {
  /** Another object after every step; while a stroke is drawn, `useStrokeLabels` follows it. */
  readonly labels: LabelVolume | null;
  readonly lesions: readonly Lesion[] | null;
  readonly statements: readonly Statement[];
  readonly annotation: Annotation | null;
  /** What the study page shows: with a draft the version that it grew from, with the draft's labels, lesions, counts and statements. */
  readonly reading: StudyReading;
  /** False while the version or the draft is on its way or out of sight, and for those who only read. */
  readonly canEdit: boolean;
  readonly isAwaited: boolean;
  /** The draft that is kept out of sight, since it lies on another grid than what is shown; null where it is shown, or there is none. */
  readonly aside: DraftAside | null;
  /** Also out of sight. */
  readonly canDiscard: boolean;
  readonly hasDraft: boolean;
  readonly isDirty: boolean;
  readonly save: SaveState;
  /** Why edits are on this computer only; null while they are not. */
  readonly problem: string | null;
  readonly revision: number | null;
  /** Who saved last. */
  readonly author: string | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly conflict: Conflict | null;
  readonly contradictions: readonly Contradiction[];
  undo(): void;
  redo(): void;
  edit(change: Edit): void;
  extendStroke(piece: VoxelEdit): void;
  endStroke(statementsOf?: (stroke: VoxelEdit) => readonly Statement[]): void;
  cancelStroke(): void;
  discard(): Promise<void>;
  /** Makes the draft what another version was, as one step that can be undone. */
  startFrom(annotation: string): Promise<void>;
  submit(comment: string): Promise<{ readonly id: string }>;
  /** Each place of the conflict is decided, in their order. */
  resolve(choices: readonly ("mine" | "theirs")[]): void;
  retryNow(): void;
}

/** Where a draft lies that is not shown. */
export interface DraftAside {
  readonly series: string;
  /** False where the series has other slices by now, so that the draft cannot be shown there either. */
  readonly canBeShown: boolean;
}

export function useDrafting(study: StudyDetail, reading: StudyReading): Drafting {
  const me = useQuery(meQuery).data;
  const user = me?.username ?? null;
  const view = useSessionView(study.id, user, useBase(reading));
  const mayEdit = me?.actions.includes("annotation.edit") ?? false;
  const aside = asideOf(reading, view);
  const shown = aside ? null : view;
  const based = useBasedReading(reading, shown);
  const measured = useMeasured(based, shown);
  const drafted = useMemo(() => draftedReading(based, shown, measured), [based, shown, measured]);
  useSelectionFollows(drafted.lesions);
  const actions = useMemo(() => actionsOf(() => sessionOf(user, study.id)), [user, study.id]);
  const stored = useMemo(() => (reading.annotation ? statementsOf(reading.annotation) : NO_STATEMENTS), [reading.annotation]);
  const isReady = isShownBase(drafted, shown);
  const statements = isReady ? (shown?.statements ?? NO_STATEMENTS) : stored;
  return {
    ...actions,
    labels: drafted.labels,
    lesions: drafted.lesions,
    statements,
    contradictions: standingContradictions(shown?.draft ?? null, statements),
    annotation: drafted.annotation,
    reading: drafted,
    canEdit: mayEdit && isReady && drafted.labels !== null,
    isAwaited: mayEdit && !aside && !isReady && drafted.isOverlayOnScreen && !drafted.marksError && !drafted.resultError,
    aside, canDiscard: mayEdit && Boolean(view?.isReady),
    hasDraft: Boolean(view?.draft), isDirty: view?.isDirty ?? false, save: view?.save ?? "none", problem: view?.problem ?? null,
    revision: view?.draft?.revision ?? null, author: view?.draft?.author ?? null,
    canUndo: view?.canUndo ?? false, canRedo: view?.canRedo ?? false, conflict: shown?.conflict ?? null,
  };
}

const NO_STATEMENTS: readonly Statement[] = [];
const NO_LESIONS: readonly Lesion[] = [];

const hasWork = (view: DraftView | null): view is DraftView => Boolean(view?.isReady && (view.draft || view.isDirty));

/** A draft outlives the choice of another series, and slices that come later: it is drawn and changed on its own grid only. */
function asideOf({ shownSeries, annotation, slices }: StudyReading, view: DraftView | null): DraftAside | null {
  if (!hasWork(view)) return null;
  const { series, labels } = view;
  if (series !== shownSeries) return series === annotation?.series ? null : { series, canBeShown: true };
  return !slices.data || onGrid(labels, slices.data) ? null : { series, canBeShown: false };
}

/** The version that is shown is the one that the session works on, whose draft is here if there is one. */
function isShownBase({ annotation }: StudyReading, view: DraftView | null): boolean {
  return Boolean(view?.isReady) && annotation?.id === view?.base;
}

/** The version that the draft grew from in place of the study's own, where that is another one by now. */
function useBasedReading(reading: StudyReading, view: DraftView | null): StudyReading {
  const other = hasWork(view) && reading.annotation && view.base !== reading.annotation.id ? view.base : null;
  const based = useQuery({ ...annotationQuery(other ?? ""), enabled: other !== null });
  const isOverlayOnScreen = other === null ? reading.isOverlayOnScreen : view?.series === reading.shownSeries;
  const brain = useBrain(isOverlayOnScreen ? other : null, reading.slices.data);
  return useMemo(() => {
    if (other === null) return reading;
    return {
      ...reading, isOverlayOnScreen, brain, annotation: based.data ?? null, lesions: null, labels: null,
      marksError: errorOf(based), resultError: null, retryResult: () => void based.refetch(),
    };
  }, [reading, other, isOverlayOnScreen, brain, based]);
}

/** The study's version once its mask is here; the same object as long as it is the same version. */
function useBase({ annotation }: StudyReading): Base | null {
  const mask = useQuery({ ...maskQuery(annotation?.id ?? ""), enabled: annotation !== null }).data;
  return useMemo(
    () => (annotation && mask ? { annotation: annotation.id, series: annotation.series, labels: mask, statements: statementsOf(annotation) } : null),
    [annotation, mask],
  );
}

/** The session's view, from the moment that the first version of the study is here. */
function useSessionView(study: string, user: string | null, base: Base | null): DraftView | null {
  const [first, setFirst] = useState(base);
  if (base && !first) setFirst(base);
  const watch = useCallback(
    (listener: () => void) => (user && first ? watchSession(user, study, first, listener) : () => undefined),
    [user, study, first],
  );
  const view = useSyncExternalStore(watch, () => sessionOf(user, study)?.view() ?? null);
  useEffect(() => {
    if (base) sessionOf(user, study)?.rebase(base);
  }, [base, user, study]);
  return view;
}

/** The lesions as they are on the screen while the server has not measured the last step yet; null once it has. */
function useMeasured(reading: StudyReading, view: DraftView | null): Measured | null {
  const affine = reading.isOverlayOnScreen && view?.isReady && view.isDirty ? reading.slices.data?.affine : undefined;
  const known = view?.draft?.lesions ?? reading.lesions ?? NO_LESIONS;
  const { labels, statements } = view ?? {};
  const countingRule = reading.annotation?.counting_rule;
  return useMemo(
    () => (affine && known && labels && statements && countingRule ? measuredLesions({ labels, affine, statements, known, countingRule }) : null),
    [affine, known, labels, statements, countingRule],
  );
}

function draftedReading(reading: StudyReading, view: DraftView | null, measured: Measured | null): StudyReading {
  if (!view || !reading.annotation || !isShownBase(reading, view)) return reading;
  const labels = reading.isOverlayOnScreen ? onGrid(view.labels, reading.slices.data) : null;
  const shown = measured ?? view.draft;
  if (!shown) return { ...reading, labels };
  const { lesions, lesion_counts, lesion_volumes_ml, counts_by_slice } = shown;
  const statements = view.statements.map((statement) => ({ ...statement, anchor: [...statement.anchor] })) as Annotation["statements"];
  return { ...reading, labels, lesions, annotation: { ...reading.annotation, lesion_counts, lesion_volumes_ml, counts_by_slice, statements } as Annotation };
}

/** Lesions are numbered by size, so numbers move as lesions change; the lesion that was chosen stays chosen. */
function useSelectionFollows(lesions: readonly Lesion[] | null): void {
  const before = useRef(lesions);
  // Before a study's first slice, keys would act on the number that was chosen in the study before.
  useEffect(() => readNow().selectLesion(null), []);
  useEffect(() => {
    const [known, now] = [before.current, lesions];
    before.current = lesions;
    const { selectedLesion, selectLesion } = readNow();
    const chosen = known?.find(({ number }) => number === selectedLesion);
    if (!chosen || !now || known === now) return;
    const number = sameLesion(chosen, now)?.number ?? null;
    if (number !== selectedLesion) selectLesion(number);
  }, [lesions]);
}

type Actions = Pick<
  Drafting,
  "undo" | "redo" | "edit" | "extendStroke" | "endStroke" | "cancelStroke" | "discard" | "startFrom" | "submit" | "resolve" | "retryNow"
>;

const NOT_OPEN = "There is no version yet that could be corrected.";

function actionsOf(sessionNow: () => DraftSession | null): Actions {
  const open = (): DraftSession => {
    const session = sessionNow();
    if (!session) throw new Error(NOT_OPEN);
    return session;
  };
  return {
    undo: () => {
      showPlainMarks();
      sessionNow()?.undo();
    },
    redo: () => {
      showPlainMarks();
      sessionNow()?.redo();
    },
    edit: (change) => {
      if (!sessionNow()) advise(NOT_OPEN);
      if (!isNoChange(change.voxels)) showPlainMarks();
      sessionNow()?.edit(change);
    },
    extendStroke: (piece) => useStroke.setState({ labels: sessionNow()?.extendStroke(piece) ?? null }),
    endStroke: (saying) => {
      sessionNow()?.endStroke(saying);
      useStroke.setState({ labels: null });
    },
    cancelStroke: () => {
      sessionNow()?.cancelStroke();
      useStroke.setState({ labels: null });
    },
    discard: async () => open().discard(),
    submit: async (comment) => open().submit(comment),
    startFrom: async (annotation) => {
      const version = await fetchVersion(annotation);
      const { labels, statements, series } = open().view();
      if (version.series !== series) throw new Error("It is a version of another series, whose voxels are other places.");
      showPlainMarks();
      open().edit({ voxels: differenceOf(labels, version.labels), added: version.statements, removed: statements });
    },
    resolve: (choices) => sessionNow()?.resolve(choices),
    retryNow: () => sessionNow()?.retryNow(),
  };
}
