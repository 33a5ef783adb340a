import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { Annotation, Lesion, Me, StudyDetail } from "../server/types";
import { patientQuery } from "../state/queries";
import { readNow, useReading } from "../state/reading";
import { showLesion } from "../tools/lesions";
import { isUnderway, JobCard } from "./job_card";
import { LesionCounts } from "./lesion_counts";
import { LesionList } from "./lesion_list";
import { Panel } from "./panel";
import { Notice } from "./problem";
import styles from "./result_sidebar.module.css";
import { STATE_TEXTS } from "./study_state";

interface ResultSidebarProps {
  readonly study: StudyDetail;
  readonly annotation: Annotation | null;
  readonly lesions: readonly Lesion[] | null;
  /** False while another series than the one that was read is on the screen. */
  readonly isOverlayOnScreen: boolean;
  readonly me: Me;
}

export function ResultSidebar({ study, annotation, lesions, isOverlayOnScreen, me }: ResultSidebarProps) {
  const selected = useReading((reading) => reading.selectedLesion);
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  const hasNews = isUnderway(study.job) || study.job?.state === "failed" || study.job?.state === "cancelled";
  return (
    <aside className={styles.sidebar} aria-label="Result">
      {hasNews && <div className={styles.news}><JobCard study={study} me={me} /></div>}
      {!study.annotation && !hasNews && <div className={styles.news}><StateNotice study={study} /></div>}
      {annotation && !isOverlayOnScreen && (
        <div className={styles.news}>
          <Notice tone="caution" icon="info" title="These are results of another series">
            <p>The counts belong to the series that was read, not to the one on the screen.</p>
          </Notice>
        </div>
      )}
      {annotation && (
        <Panel title="AI-predicted lesions">
          <Counts study={study} annotation={annotation} sliceIndex={isOverlayOnScreen ? sliceIndex : null} />
        </Panel>
      )}
      {study.annotation && !lesions && <Loader size="sm" className={styles.loader} aria-label="Loading lesions" />}
      {lesions && (
        <LesionList lesions={lesions} selected={selected} sliceIndex={isOverlayOnScreen ? sliceIndex : -1} onSelect={(lesion) => showLesion({ reading: readNow() }, lesion)} />
      )}
    </aside>
  );
}

function Counts({ study, annotation, sliceIndex }: { study: StudyDetail; annotation: Annotation; sliceIndex: number | null }) {
  const patient = useQuery(patientQuery(study.patient.id));
  const bySlice = annotation.counts_by_slice;
  const slice = sliceIndex === null ? null : { active: bySlice.active[sliceIndex] ?? 0, inactive: bySlice.inactive[sliceIndex] ?? 0 };
  return (
    <LesionCounts
      slice={slice}
      study={annotation.lesion_counts}
      volumesMl={annotation.lesion_volumes_ml}
      patient={patient.data?.lesion_counts ?? null}
      countingRule={annotation.counting_rule}
    />
  );
}

/** Why there are no marks yet, and what to do. */
export function StateNotice({ study }: { study: StudyDetail }) {
  const { label, meaning, tone } = STATE_TEXTS[study.state];
  const problems = study.series.flatMap((series) =>
    (series.completeness?.problems ?? []).map((problem) => `${series.series_description || "Series"}: ${problem}`),
  );
  return (
    <Notice tone={tone === "alert" ? "alert" : tone === "caution" ? "caution" : "quiet"} icon={tone === "quiet" || tone === "busy" ? "info" : "warning"} title={label}>
      <p>{meaning}</p>
      {study.state_reason && <p>{study.state_reason}</p>}
      {study.state === "incomplete" && problems.map((problem) => <p key={problem}>{problem}</p>)}
    </Notice>
  );
}
