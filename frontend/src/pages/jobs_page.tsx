import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { percentText, timeText, UNKNOWN } from "../components/formats";
import { JobAction } from "../components/job_card";
import { Loading } from "../components/loading";
import { RegistrationJobs, ShadowJobs } from "../components/other_jobs";
import { chosenOf, useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { StudyLink } from "../components/study_link";
import { JobStateBadge, stageText } from "../components/study_state";
import { EvaluationJobs, TrainingJobs } from "../components/training_jobs";
import { cancelJob, retryJob } from "../server/endpoints";
import type { Job, JobState, Me } from "../server/types";
import { jobsQuery, queryClient } from "../state/queries";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;

/** Jobs have no topic of their own on the socket. */
const REFRESH_MS = 3_000;

const STATES: { value: JobState | ""; label: string }[] = [
  { value: "", label: "All" },
  { value: "running", label: "Running" },
  { value: "queued", label: "Queued" },
  { value: "failed", label: "Failed" },
  { value: "succeeded", label: "Succeeded" },
  { value: "cancelled", label: "Cancelled" },
];

type Kind = "inference" | "registration" | "shadow" | "evaluation" | "training";

const ADMINISTRATORS_KINDS: { value: Kind; label: string }[] = [
  { value: "shadow", label: "Shadow" },
  { value: "evaluation", label: "Evaluation" },
];

/** What the workers were asked for; readings in shadow, evaluations and training are for administrators. */
export function JobsPage({ me }: { me: Me }) {
  usePageTitle("Jobs");
  const { read, change } = usePageFilter();
  const kinds: { value: Kind; label: string }[] = [
    { value: "inference", label: "Inference" },
    { value: "registration", label: "Registration" },
    ...(me.actions.includes("model.manage") ? ADMINISTRATORS_KINDS : []),
    ...(me.actions.includes("training.manage") ? [{ value: "training" as const, label: "Training" }] : []),
  ];
  const kind = chosenOf(kinds, read("kind")) || "inference";
  return (
    <div className={styles.page}>
      <h1>Jobs</h1>
      <SegmentedControl
        size="xs" w="fit-content" data={kinds} value={kind} aria-label="Kind of the jobs listed"
        onChange={(value) => change({ kind: value, state: "" })}
      />
      {kind === "inference" && <InferenceJobs me={me} />}
      {kind === "registration" && <RegistrationJobs me={me} />}
      {kind === "shadow" && <ShadowJobs />}
      {kind === "evaluation" && <EvaluationJobs />}
      {kind === "training" && <TrainingJobs />}
    </div>
  );
}

function InferenceJobs({ me }: { me: Me }) {
  const filter = usePageFilter();
  const { page, read, change } = filter;
  const state = chosenOf(STATES, read("state"));
  const jobs = useQuery({ ...jobsQuery({ page, page_size: PAGE_SIZE, ...(state ? { state } : {}) }), refetchInterval: REFRESH_MS });
  useExistingPage(filter, jobs.error);
  return (
    <>
      <p className={styles.lead}>One job is one reading of a series by the network.</p>
      <SegmentedControl
        size="xs" w="fit-content" data={STATES} value={state} aria-label="State of the jobs listed"
        onChange={(value) => change({ state: value })}
      />
      {jobs.isError && <Problem error={jobs.error} onRetry={() => void jobs.refetch()} />}
      {jobs.isPending && <Loading of="jobs" />}
      {jobs.data && <JobTable jobs={jobs.data.results} me={me} />}
      <PageSteps count={jobs.data?.count ?? 0} pageSize={PAGE_SIZE} page={page} onChange={(to) => change({ page: String(to) })} />
    </>
  );
}

function JobTable({ jobs, me }: { jobs: readonly Job[]; me: Me }) {
  if (jobs.length === 0) return <p className={styles.dim}>No job is in this state.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th>Requested</th>
            <th>Study</th>
            <th>State</th>
            <th>Progress</th>
            <th>By</th>
            <th>Model</th>
            <th>Attempts</th>
            <th><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{jobs.map((job) => <JobLine key={job.id} job={job} me={me} />)}</tbody>
      </table>
    </div>
  );
}

function JobLine({ job, me }: { job: Job; me: Me }) {
  return (
    <tr data-testid="job-row" data-state={job.state}>
      <td className={styles.keep}>{timeText(job.requested_at)}</td>
      <td className={styles.keep}><StudyLink study={job.study} /></td>
      <td className={styles.wide}>
        <JobStateBadge state={job.state} />
        {job.reason && <div className={styles.dim}>{job.reason}</div>}
      </td>
      <td className={styles.keep}>{job.state === "running" ? `${stageText(job.stage)}, ${percentText(job.progress)}` : UNKNOWN}</td>
      <td className={styles.keep}>{job.requested_by ?? "on arrival"}</td>
      <td className={styles.keep}>{job.model ? `${job.model.name} ${job.model.version}` : UNKNOWN}</td>
      <td>{job.attempts}</td>
      <td className={styles.right}><JobLineAction job={job} me={me} /></td>
    </tr>
  );
}

function JobLineAction({ job, me }: { job: Job; me: Me }) {
  const refreshed = (action: () => Promise<unknown>) => () => action().finally(() => queryClient.invalidateQueries({ queryKey: ["jobs"] }));
  if ((job.state === "queued" || job.state === "running") && me.actions.includes("job.cancel")) {
    return <JobAction label="Cancel" study={job.study} action={refreshed(() => cancelJob(job.id))} />;
  }
  if ((job.state === "failed" || job.state === "cancelled") && me.actions.includes("inference.request")) {
    return <JobAction label="Retry" study={job.study} action={refreshed(() => retryJob(job.id))} />;
  }
  return null;
}
