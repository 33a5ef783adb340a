import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { memo, useDeferredValue, type ReactNode } from "react";

import type { BySize } from "../geometry/lesion_size";
import type { Enhancement } from "../server/enhancement";
import type { Annotation, ByClass, Lesion, Me, StudyDetail } from "../server/types";
import type { Taker } from "../state/enhancement";
import type { LesionRow } from "../state/lesion_table";
import { patientQuery } from "../state/queries";
import { readNow, useReading } from "../state/reading";
import type { StudyReading } from "../state/study_reading";
import type { SidebarPart } from "../tools/command";
import { showLesion } from "../tools/lesions";
import { isUnderway, JobCard } from "./job_card";
import { LesionCounts } from "./lesion_counts";
import { LesionList } from "./lesion_list";
import { Loading } from "./loading";
import { Panel } from "./panel";
import { Notice, Problem } from "./problem";
import { RegionCounts } from "./region_counts";
import styles from "./result_sidebar.module.css";
import { STATE_TEXTS } from "./study_state";
import { UptakeNote } from "./uptake_note";

/** What is counted: a version's own numbers, or a draft's. */
export type Counted = Pick<Annotation, "lesion_counts" | "lesion_volumes_ml" | "counts_by_slice" | "counting_rule" | "regions" | "version">;

interface ResultSidebarProps {
  readonly study: StudyDetail;
  readonly counted: Counted | null;
  /** As the table lists them; null until they are here. */
  readonly rows: readonly LesionRow[] | null;
  readonly lesionCount: number;
  readonly hasChanges: boolean;
  /** Null until the server answered. */
  readonly enhancement: Enhancement | null;
  /** Those of the lesions on the screen that took up contrast agent. */
  readonly takers: readonly Taker[];
  readonly saidByReaders: ByClass;
  /** Of all lesions, whatever the table lists. */
  readonly sizes: BySize | null;
  readonly reading: StudyReading;
  readonly me: Me;
  readonly part: SidebarPart;
  onPart(part: SidebarPart): void;
  readonly openComments: number;
  readonly review: ReactNode;
  readonly versions: ReactNode;
}

const selectLesion = (lesion: Lesion) => showLesion({ reading: readNow() }, lesion);

const showTaker = ({ lesion, sliceIndex }: Taker) => {
  selectLesion(lesion);
  readNow().goTo(sliceIndex);
};

/** The right side of the room: lesions, the review of the version, and its other versions. */
export function ResultSidebar(props: ResultSidebarProps) {
  const { part, onPart, openComments } = props;
  return (
    <aside className={styles.sidebar} aria-label="Result">
      <Tabs value={part} onChange={(value) => onPart(value as SidebarPart)} variant="default" keepMounted={false} classNames={{ root: styles.tabs, list: styles.tabList, tab: styles.tab, panel: styles.tabPanel }}>
        <Tabs.List grow aria-label="Result">
          <Tabs.Tab value="lesions" data-testid="part-lesions">Lesions</Tabs.Tab>
          <Tabs.Tab value="review" data-testid="part-review">
            {openComments > 0 ? `Review (${openComments})` : "Review"}
          </Tabs.Tab>
          <Tabs.Tab value="versions" data-testid="part-versions">Versions</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="lesions"><LesionPart {...props} /></Tabs.Panel>
        <Tabs.Panel value="review">{props.review}</Tabs.Panel>
        <Tabs.Panel value="versions">{props.versions}</Tabs.Panel>
      </Tabs>
    </aside>
  );
}

/** Where the right side of the room will be. */
export function ResultSidebarPlace() {
  return <aside className={styles.sidebar} aria-label="Result" aria-busy />;
}

function LesionPart({ study, counted, rows, lesionCount, hasChanges, enhancement, takers, saidByReaders, sizes, reading, me }: ResultSidebarProps) {
  const { isOverlayOnScreen } = reading;
  const selected = useReading((reading) => reading.selectedLesion);
  const sliceIndex = useDeferredValue(useReading((reading) => reading.sliceIndex));
  const hasNews = isUnderway(study.job) || study.job?.state === "failed" || study.job?.state === "cancelled";
  return (
    <>
      {hasNews && <div className={styles.news}><JobCard study={study} me={me} /></div>}
      {!study.annotation && !hasNews && <div className={styles.news}><StateNotice study={study} /></div>}
      {counted && !isOverlayOnScreen && (
        <div className={styles.news}>
          <Notice tone="caution" icon="info" title="These are results of another series">
            <p>The counts belong to the series that was read, not to the one on the screen.</p>
          </Notice>
        </div>
      )}
      {counted && (
        <Panel title={saidByReaders.active + saidByReaders.inactive > 0 ? "Lesions counted" : "AI-predicted lesions"}>
          <Counts study={study} counted={counted} saidByReaders={saidByReaders} sizes={sizes} sliceIndex={isOverlayOnScreen ? sliceIndex : null} />
          <RegionCounts regions={counted.regions} version={counted.version} />
          {enhancement && <UptakeNote enhancement={enhancement} takers={takers} mayAsk={me.actions.includes("inference.request")} onShow={showTaker} />}
        </Panel>
      )}
      {study.annotation && (!rows || reading.resultError) && <ResultAwaited reading={reading} />}
      {rows && (
        <LesionList
          rows={rows} total={lesionCount} hasChanges={hasChanges} areRegionsPending={counted?.regions.state === "pending"} selected={selected}
          sliceIndex={isOverlayOnScreen ? sliceIndex : -1} onSelect={selectLesion}
        />
      )}
    </>
  );
}

/** The lesions are on their way; or they, or what is counted of them, did not come. */
function ResultAwaited({ reading: { resultError, retryResult } }: { reading: StudyReading }) {
  if (!resultError) return <Loading of="lesions" className={styles.loader} />;
  return <div className={styles.news}><Problem error={resultError} onRetry={retryResult} /></div>;
}

interface CountsProps {
  readonly study: StudyDetail;
  readonly counted: Counted;
  readonly saidByReaders: ByClass;
  readonly sizes: BySize | null;
  readonly sliceIndex: number | null;
}

const Counts = memo(function Counts({ study, counted, saidByReaders, sizes, sliceIndex }: CountsProps) {
  const patient = useQuery(patientQuery(study.patient.id));
  const bySlice = counted.counts_by_slice;
  const slice = sliceIndex === null ? null : { active: bySlice.active[sliceIndex] ?? 0, inactive: bySlice.inactive[sliceIndex] ?? 0 };
  return (
    <LesionCounts
      slice={slice}
      study={counted.lesion_counts}
      volumesMl={counted.lesion_volumes_ml}
      patient={patient.data?.lesion_counts ?? null}
      countingRule={counted.counting_rule}
      saidByReaders={saidByReaders}
      sizes={sizes}
    />
  );
});

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
