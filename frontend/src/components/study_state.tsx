import type { JobStage, JobState, Study, StudyState } from "../server/types";
import styles from "./study_state.module.css";

interface StateText {
  readonly label: string;
  readonly tone: "quiet" | "busy" | "good" | "caution" | "alert" | "review";
  /** What happened and what happens next, for the study page. */
  readonly meaning: string;
}

export const STATE_TEXTS: Readonly<Record<StudyState, StateText>> = {
  receiving: { label: "Receiving", tone: "busy", meaning: "Files of this study are still arriving. It is read once they have stopped." },
  incomplete: {
    label: "Incomplete", tone: "caution",
    meaning: "Slices are missing, so plaques could be missed. Send the missing files, or choose another series.",
  },
  no_flair: {
    label: "No FLAIR", tone: "caution",
    meaning: "No series of this study is recognised as a FLAIR. If one is, choose it in the list of series.",
  },
  queued: { label: "Queued", tone: "quiet", meaning: "Waiting for a worker to read this study." },
  running: { label: "Running", tone: "busy", meaning: "The network is reading this study." },
  ready: { label: "Ready", tone: "good", meaning: "Predictions are ready to be read." },
  failed: { label: "Failed", tone: "alert", meaning: "The network could not read this study. The slices can be read as they are." },
  in_review: { label: "In review", tone: "review", meaning: "A reader has submitted this result, and it waits for approval." },
  approved: { label: "Approved", tone: "good", meaning: "A reader has approved this result." },
};

export const STUDY_STATES = Object.keys(STATE_TEXTS) as StudyState[];

const STAGE_TEXTS: Readonly<Record<JobStage, string>> = {
  queued: "Waiting for a worker",
  loading: "Reading pixels",
  preprocessing: "Preparing brain and intensities",
  network: "Marking plaques",
  lesions: "Measuring lesions",
  saving: "Saving",
};

/** What a job does now, in words; a stage that this page does not know is told as the server names it. */
export function stageText(stage: string): string {
  return stage in STAGE_TEXTS ? STAGE_TEXTS[stage as JobStage] : stage;
}

/** A study whose newest version was returned is as unread as a predicted one, but somebody waits for its correction. */
const RETURNED: StateText = { label: "Returned", tone: "caution", meaning: "A reviewer has returned this reading for correction." };

function textOf({ state, annotation }: Pick<Study, "state" | "annotation">): StateText {
  if (state === "ready" && annotation?.state === "returned") return RETURNED;
  return STATE_TEXTS[state] ?? { label: state, tone: "quiet", meaning: "" };
}

export function StudyStateBadge({ study }: { study: Pick<Study, "state" | "annotation" | "job"> }) {
  const { state } = study;
  const progress = study.job?.progress;
  const { label, tone, meaning } = textOf(study);
  return (
    <span className={styles.badge} data-tone={tone} data-testid="study-state" data-state={state} title={meaning}>
      <span className={styles.dot} aria-hidden />
      {label}
      {state === "running" && progress !== undefined && <span className="number">{Math.round(progress * 100)} %</span>}
    </span>
  );
}

const JOB_STATES: Readonly<Record<JobState, Pick<StateText, "label" | "tone">>> = {
  queued: { label: "Queued", tone: "quiet" },
  running: { label: "Running", tone: "busy" },
  succeeded: { label: "Succeeded", tone: "good" },
  failed: { label: "Failed", tone: "alert" },
  cancelled: { label: "Cancelled", tone: "quiet" },
};

export function JobStateBadge({ state }: { state: JobState }) {
  const { label, tone } = JOB_STATES[state];
  return (
    <span className={styles.badge} data-tone={tone} data-state={state}>
      <span className={styles.dot} aria-hidden />
      {label}
    </span>
  );
}
