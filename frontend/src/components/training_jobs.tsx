import { useQuery } from "@tanstack/react-query";

import { cancelEvaluation, repeatRun, requestEvaluation, type Evaluation, type TrainingRun } from "../server/training";
import { allEvaluationsQuery, isLive, isRetryable, refreshModels, runsQuery, useLiveTraining } from "../state/training";
import { queryClient } from "../state/queries";
import { Followed } from "./fetched";
import { timeText, UNKNOWN } from "./formats";
import { JobAction } from "./job_card";
import styles from "./outbox.module.css";
import { RunCancel } from "./run_cancel";

/** Training runs as jobs: a live one can be cancelled, one that failed or was cancelled asked for once more. */
export function TrainingJobs() {
  useLiveTraining();
  return <Followed query={useQuery(runsQuery)} of="runs">{(runs) => <RunTable runs={runs} />}</Followed>;
}

function RunTable({ runs }: { runs: readonly TrainingRun[] }) {
  if (runs.length === 0) return <p className={styles.none}>Nothing was trained yet.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Training runs">
        <thead>
          <tr><th>Requested</th><th>By</th><th>State</th><th>Step</th><th>Device</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{runs.map((run) => <RunLine key={run.id} run={run} />)}</tbody>
      </table>
    </div>
  );
}

function RunLine({ run }: { run: TrainingRun }) {
  const refresh = () => queryClient.invalidateQueries({ queryKey: runsQuery.queryKey });
  return (
    <tr data-testid="run-row" data-state={run.state}>
      <td className={styles.keep}>{timeText(run.created)}</td>
      <td className={styles.keep}>{run.requested_by ?? "by schedule"}</td>
      <td className={styles.wide}>
        {run.state === "running" ? `${run.state}, ${run.stage}` : run.state}
        {run.reason && <div className={styles.hint}>{run.reason}</div>}
      </td>
      <td className={styles.keep}>{`${run.step} of ${run.recipe.steps ?? UNKNOWN}`}</td>
      <td>{run.device || UNKNOWN}</td>
      <td className={styles.right}>
        <RunCancel run={run} size="compact-sm" />
        {isRetryable(run) && <JobAction label="Retry" action={() => repeatRun(run).finally(refresh)} />}
      </td>
    </tr>
  );
}

/** Candidates that are tried beside the champion on the test side of the newest snapshot, for the gate. */
export function EvaluationJobs() {
  useLiveTraining();
  return <Followed query={useQuery(allEvaluationsQuery)} of="evaluations">{(evaluations) => <EvaluationTable evaluations={evaluations} />}</Followed>;
}

function EvaluationTable({ evaluations }: { evaluations: readonly Evaluation[] }) {
  if (evaluations.length === 0) return <p className={styles.none}>No candidate was tried by itself.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Evaluations">
        <thead>
          <tr><th>Requested</th><th>By</th><th>Model</th><th>State</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{evaluations.map((one) => <EvaluationLine key={one.id} evaluation={one} />)}</tbody>
      </table>
    </div>
  );
}

function EvaluationLine({ evaluation }: { evaluation: Evaluation }) {
  const { id, model, model_name, state, reason, warnings, created, requested_by } = evaluation;
  return (
    <tr data-testid="evaluation-row" data-state={state}>
      <td className={styles.keep}>{timeText(created)}</td>
      <td className={styles.keep}>{requested_by}</td>
      <td>{model_name}</td>
      <td className={styles.wide}>
        {state}
        {[reason, ...warnings].filter(Boolean).map((line) => <div key={line} className={styles.hint}>{line}</div>)}
      </td>
      <td className={styles.right}>
        {isLive(evaluation) && <JobAction label="Cancel" action={() => cancelEvaluation(id).finally(refreshModels)} />}
        {isRetryable(evaluation) && <JobAction label="Retry" action={() => requestEvaluation(model).finally(refreshModels)} />}
      </td>
    </tr>
  );
}
