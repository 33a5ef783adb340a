import { Progress } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import { cancelJob, requestInference, retryJob } from "../server/endpoints";
import type { JobSummary, Me, StudyDetail } from "../server/types";
import { queryClient } from "../state/queries";
import { BusyButton } from "./busy_button";
import { Icon } from "./icons";
import styles from "./job_card.module.css";
import { detailOf, Notice } from "./problem";
import { stageText } from "./study_state";

export function isUnderway(job: JobSummary | null): boolean {
  return job?.state === "queued" || job?.state === "running";
}

/** How far the network is with this study, and how to stop it or begin again. Nothing when there is nothing to say. */
export function JobCard({ study, me }: { study: StudyDetail; me: Me }) {
  const { job } = study;
  if (job && isUnderway(job)) return <JobProgress job={job} canCancel={me.actions.includes("job.cancel")} study={study.id} />;
  if (job?.state === "failed") {
    return (
      <Notice tone="alert" icon="warning" title="The network could not read this study">
        <p>{job.reason || "The worker gave no reason."}</p>
        <p>The slices can be read as they are. Try again, or choose another series.</p>
        {me.actions.includes("inference.request") && <JobAction label="Try again" study={study.id} action={() => retryJob(job.id)} />}
      </Notice>
    );
  }
  if (job?.state === "cancelled") {
    return (
      <Notice tone="quiet" icon="info" title="The job was cancelled">
        {job.reason && <p>{job.reason}</p>}
        {me.actions.includes("inference.request") && <JobAction label="Run again" study={study.id} action={() => requestInference(study.id)} />}
      </Notice>
    );
  }
  return null;
}

function JobProgress({ job, canCancel, study }: { job: JobSummary; canCancel: boolean; study: string }) {
  const percent = Math.round(job.progress * 100);
  return (
    <div className={styles.card} data-testid="job-progress" data-stage={job.stage} aria-live="polite">
      <div className={styles.line}>
        <strong>{stageText(job.state === "queued" ? "queued" : job.stage)}</strong>
        <span className={styles.percent}>{`${percent} %`}</span>
      </div>
      <Progress value={percent} size="sm" aria-label="Progress of the prediction" transitionDuration={200} />
      <div className={styles.line}>
        <span className={styles.hint}>
          {job.attempts > 1 ? `Attempt ${job.attempts}. ` : ""}
          Marks appear here by themselves.
        </span>
        {canCancel && <JobAction label="Cancel" study={study} action={() => cancelJob(job.id)} />}
      </div>
    </div>
  );
}

/** A button that asks the server for something about a job and then shows what has become of its study, if it is of one. */
export function JobAction({ label, study, action }: { label: string; study?: string; action: () => Promise<unknown> }) {
  const asking = useMutation({
    mutationFn: action,
    onSettled: () => study && queryClient.invalidateQueries({ queryKey: ["study", study] }),
  });
  return (
    <div className={styles.action}>
      <BusyButton
        variant="default"
        size="compact-sm"
        isBusy={asking.isPending}
        onClick={() => asking.mutate()}
        leftSection={label === "Cancel" ? null : <Icon name="retry" size={14} />}
      >
        {label}
      </BusyButton>
      {asking.isError && <span className={styles.error} role="alert">{detailOf(asking.error)}</span>}
    </div>
  );
}
