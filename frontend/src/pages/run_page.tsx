import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { timeText } from "../components/formats";
import { LearningCurve } from "../components/learning_curve";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { RunCancel } from "../components/run_cancel";
import { RunFacts } from "../components/run_facts";
import { RunLog } from "../components/run_log";
import { RunSamples } from "../components/run_samples";
import { ProblemError } from "../server/problem";
import { runLogUrl, type TrainingRun } from "../server/training";
import { pointsQuery, runQuery, useLiveTraining, validatedStep } from "../state/training";
import { NotFoundPage } from "./not_found_page";
import styles from "./plain_page.module.css";

/** One training run as it goes: curves, machine, slices with its present prediction, log. */
export function RunPage() {
  const { id = "" } = useParams();
  usePageTitle("Training run");
  useLiveTraining();
  const run = useQuery(runQuery(id));
  if (run.error instanceof ProblemError && run.error.status === 404) return <NotFoundPage what="This run" />;
  if (run.isPending) return <div className={styles.centre}><Loading of="run" /></div>;
  return (
    <div className={styles.page} data-testid="run-page" data-state={run.data?.state}>
      {run.isError && <Problem error={run.error} onRetry={() => void run.refetch()} />}
      {run.data && <Shown run={run.data} />}
    </div>
  );
}

function Shown({ run }: { run: TrainingRun }) {
  const points = useQuery(pointsQuery(run));
  const step = validatedStep(points.data ?? []);
  return (
    <>
      <div className={styles.title}>
        <h1>{`Run of ${timeText(run.created)}: ${run.state === "running" ? `${run.state}, ${run.stage}` : run.state}`}</h1>
        <span className={styles.actions}>
          <RunCancel run={run} size="xs" />
          <Button size="xs" variant="default" component="a" href={runLogUrl(run.id)} download={`run-${run.id}.log`} data-testid="download-log">Download log</Button>
        </span>
      </div>
      <div className={styles.card}>
        <RunFacts run={run} />
        {[run.reason, ...run.warnings].filter(Boolean).map((line) => <p key={line} className={styles.remark}>{line}</p>)}
      </div>
      <h2>Learning</h2>
      {points.isError && <Problem error={points.error} onRetry={() => void points.refetch()} />}
      <div className={styles.card}>{points.data && <LearningCurve points={points.data} steps={run.recipe.steps ?? 1} />}</div>
      <h2>Slices of the validation side</h2>
      <RunSamples run={run.id} step={step} />
      <h2>Log</h2>
      <RunLog run={run} step={step} />
    </>
  );
}
