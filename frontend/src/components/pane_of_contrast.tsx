import { useState } from "react";

import type { DicomJson } from "../server/pixel_format";
import type { SliceStack, StudyDetail } from "../server/types";
import { linkText } from "../state/pane_link";
import { useStudyReading } from "../state/study_reading";
import { usePaneLink } from "../state/use_pane_link";
import { firstSliceOf } from "../viewport/pane_links";
import { Pane, StageLoader } from "./pane";
import { PaneHeader } from "./pane_header";
import { useGrid } from "./pane_of_prior";
import styles from "./reading_panes.module.css";

interface PostContrast {
  readonly series: string;
  readonly reason: string;
}

/** The study's T1 after contrast, as the server chose it; null where there is none. */
export function postContrastOf(study: StudyDetail): PostContrast | null {
  return (study as { post_contrast_series?: PostContrast | null }).post_contrast_series ?? null;
}

interface ContrastPaneProps {
  readonly study: StudyDetail;
  /** Of the study's own pane. */
  readonly slices: SliceStack;
  readonly isWaiting: boolean;
}

/** The study's T1 after contrast beside its FLAIR, at the same place of the scanner. */
export function ContrastPane({ study, slices, isWaiting }: ContrastPaneProps) {
  const chosen = postContrastOf(study);
  if (!chosen) return null;
  if (isWaiting) return <EmptyPane study={study} chosen={chosen} />;
  return <LoadedContrast key={chosen.series} study={study} slices={slices} chosen={chosen} />;
}

function headerOf(study: StudyDetail, { series }: PostContrast, link?: string) {
  const description = study.series.find(({ id }) => id === series)?.series_description ?? "";
  return <PaneHeader title="T1 after contrast" date={study.study_date} description={description} {...(link ? { link } : {})} />;
}

function EmptyPane({ study, chosen, problem }: { study: StudyDetail; chosen: PostContrast; problem?: string }) {
  return (
    <section className={styles.empty} aria-label="T1 after contrast">
      {headerOf(study, chosen)}
      {problem ? <p className={styles.problem} role="alert">{problem}</p> : <StageLoader />}
    </section>
  );
}

function LoadedContrast({ study, slices, chosen }: { study: StudyDetail; slices: SliceStack; chosen: PostContrast }) {
  const reading = useStudyReading(study.id, chosen.series);
  const error = reading.slices.error ?? reading.attributes.error;
  if (error) return <EmptyPane study={study} chosen={chosen} problem={error.message} />;
  if (!reading.slices.data || !reading.attributes.data || reading.startSlice === null) return <EmptyPane study={study} chosen={chosen} />;
  return <ContrastStack study={study} chosen={chosen} slices={slices} own={reading.slices.data} attributes={reading.attributes.data} startSlice={reading.startSlice} />;
}

interface ContrastStackProps {
  readonly study: StudyDetail;
  readonly chosen: PostContrast;
  readonly slices: SliceStack;
  readonly own: SliceStack;
  readonly attributes: ReadonlyMap<string, DicomJson>;
  readonly startSlice: number;
}

function ContrastStack({ study, chosen, slices, own, attributes, startSlice }: ContrastStackProps) {
  const [from, to] = [useGrid(slices), useGrid(own)];
  const link = usePaneLink("post_contrast", null, from, to);
  const [firstSlice] = useState(() => firstSliceOf(to, link.matrix) ?? startSlice);
  const [problem, setProblem] = useState<Error | null>(null);
  if (problem) return <EmptyPane study={study} chosen={chosen} problem={problem.message} />;
  return (
    <Pane
      pane="post_contrast" header={headerOf(study, chosen, linkText(link.kind, null))} slices={own} attributes={attributes} startSlice={firstSlice}
      labels={null} brain={null} mark={null} onStack={ignore} onAllSlices={ignore} onError={setProblem}
    />
  );
}

const ignore = () => undefined;
