import { use } from "react";
import { Link } from "react-router";

import { requestInference } from "../server/endpoints";
import { deidentifiedUrl, maskDownloadUrl } from "../server/downloads";
import type { Annotation, Me, StudyDetail } from "../server/types";
import { fullTimeText } from "./formats";
import { isUnderway, JobAction } from "./job_card";
import { Panel } from "./panel";
import { PriorPanel } from "./prior_panel";
import { ProtocolPanel } from "./protocol_panel";
import { ProvenDownload } from "./proven_download";
import { SeriesPanel } from "./series_panel";
import { Settled } from "./settled";
import styles from "./study_sidebar.module.css";
import { WithheldPanel } from "./withheld_panel";

interface StudySidebarProps {
  readonly study: StudyDetail;
  readonly annotation: Annotation | null;
  readonly me: Me;
  readonly shownSeries: string | null;
  onShowSeries(series: string): void;
}

export function StudySidebar({ study, annotation, me, shownSeries, onShowSeries }: StudySidebarProps) {
  if (!use(Settled)) return <aside className={styles.sidebar} aria-label="Study" aria-busy />;
  return (
    <aside className={styles.sidebar} aria-label="Study">
      <SeriesPanel study={study} shownSeries={shownSeries} canOverride={me.actions.includes("study.override")} onShow={onShowSeries} />
      <PriorPanel study={study} me={me} />
      <WithheldPanel study={study} />
      <ProtocolPanel study={study} />
      {annotation && <ResultPanel annotation={annotation} study={study} me={me} />}
      {me.actions.includes("audit.read") && <Link className={styles.audit} to={`/audit?object=${study.id}`}>Who looked at this study, and changed it</Link>}
    </aside>
  );
}

function ResultPanel({ annotation, study, me }: { annotation: Annotation; study: StudyDetail; me: Me }) {
  const seconds = Object.values(annotation.seconds).reduce((sum, step) => sum + step, 0);
  return (
    <Panel title="Result">
      <dl className={styles.facts}>
        <Fact term="Version" detail={`${annotation.version}, ${annotation.state}`} />
        <Fact term="Author" detail={annotation.author ?? (annotation.model ? breakable(`${annotation.model.name} ${annotation.model.version}`) : "")} />
        <Fact term="Made" detail={fullTimeText(annotation.created)} />
        {seconds > 0 && <Fact term="Took" detail={`${seconds.toFixed(1)} s`} />}
        {annotation.computation && <Fact term="Ran in" detail={annotation.computation} />}
      </dl>
      <div className={styles.actions}>
        <a href={maskDownloadUrl(annotation.id)} download>Download the mask (NIfTI)</a>
        {me.actions.includes("study.deidentify") && (
          <ProvenDownload
            href={deidentifiedUrl(study.id)} what="The study, de-identified for research," label="Download de-identified (DICOM) …"
            size="compact-xs" title={DEIDENTIFIED} className={styles.download}
          />
        )}
        {me.actions.includes("inference.request") && !isUnderway(study.job) && (
          <JobAction label="Run again" study={study.id} action={() => requestInference(study.id)} />
        )}
      </div>
    </Panel>
  );
}

/** A name that may break after its underscores rather than anywhere. */
function breakable(name: string): string {
  return name.replaceAll("_", "_\u200b");
}

function Fact({ term, detail }: { term: string; detail: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{detail}</dd>
    </div>
  );
}

const DEIDENTIFIED = "MR images, and SEG and SR of the approved version, with a report of what was removed. Voxels are as acquired: a face may be recognised. Look through it before you pass it on.";
