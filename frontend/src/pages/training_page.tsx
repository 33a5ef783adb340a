import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { countText, timeText, UNKNOWN } from "../components/formats";
import { LearningCurve } from "../components/learning_curve";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { ProvenDownload } from "../components/proven_download";
import { RunDialog } from "../components/run_dialog";
import { SnapshotDialog } from "../components/snapshot_dialog";
import { SnapshotDifference } from "../components/snapshot_difference";
import { SnapshotExclusions } from "../components/snapshot_exclusions";
import { rulesText } from "../components/snapshot_rules";
import { snapshotExportUrl, type Snapshot, type TrainingRun } from "../server/training";
import type { Me } from "../server/types";
import { isLive, pointsQuery, runsQuery, snapshotsQuery, useLiveTraining } from "../state/training";
import styles from "./plain_page.module.css";

// What was left out, and what has changed, take the whole width below their row.
const COLUMNS = 6;

/** Snapshots of approved versions and the runs that learn from them, for administrators. */
export function TrainingPage({ me }: { me: Me }) {
  usePageTitle("Training");
  useLiveTraining();
  return (
    <div className={styles.page} data-testid="training-page">
      <h1>Training</h1>
      <p className={styles.lead}>A run learns from a frozen snapshot of approved versions, and makes a candidate for the gate on the page Models.</p>
      <Snapshots me={me} />
      <Runs />
    </div>
  );
}

function Snapshots({ me }: { me: Me }) {
  const snapshots = useQuery(snapshotsQuery);
  const [isAsking, setAsking] = useState(false);
  const [trained, setTrained] = useState<string | null>(null);
  return (
    <>
      <div className={styles.title}>
        <h2>Datasets</h2>
        <Button onClick={() => setAsking(true)} data-testid="new-snapshot">Freeze approved versions …</Button>
      </div>
      {snapshots.isError && <Problem error={snapshots.error} onRetry={() => void snapshots.refetch()} />}
      {snapshots.isPending && <Loading of="snapshots" />}
      {snapshots.data?.length === 0 && <p className={styles.dim}>Nothing was frozen yet.</p>}
      {snapshots.data && snapshots.data.length > 0 && (
        <div className={styles.card}>
          <table className={styles.table}>
            <thead>
              <tr><th>Frozen</th><th>State</th><th>Patients that train, validate, test</th><th>Left out</th><th>SHA-256</th><th><span className="visually-hidden">Actions</span></th></tr>
            </thead>
            <tbody>
              {snapshots.data.map((snapshot, at) => (
                <SnapshotLine key={snapshot.id} snapshot={snapshot} older={snapshots.data.slice(at + 1).find(isReady)} onTrain={setTrained} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <SnapshotDialog me={me} isOpen={isAsking} onClose={() => setAsking(false)} />
      <RunDialog snapshot={trained} onClose={() => setTrained(null)} />
    </>
  );
}

function isReady({ state }: Snapshot): boolean {
  return state === "ready";
}

interface SnapshotLineProps {
  readonly snapshot: Snapshot;
  /** The one that was frozen before it, if there is one. */
  readonly older: Snapshot | undefined;
  onTrain(snapshot: string): void;
}

function SnapshotLine({ snapshot, older, onTrain }: SnapshotLineProps) {
  const [isCompared, setCompared] = useState(false);
  const [isExplained, setExplained] = useState(false);
  const { train, validation, test } = snapshot.counts;
  return (
    <>
      <tr data-testid="snapshot-row" data-state={snapshot.state}>
        <td className={styles.keep}>{timeText(snapshot.created)}</td>
        <td>
          {snapshot.state}
          {snapshot.reason && <div className={styles.dim}>{snapshot.reason}</div>}
          <div className={styles.dim} data-testid="snapshot-rules">{rulesText(snapshot.sites, snapshot.rules)}</div>
        </td>
        <td>{train && validation && test ? `${train.patients}, ${validation.patients}, ${test.patients}` : UNKNOWN}</td>
        <td>
          {snapshot.excluded_count === 0 ? (isReady(snapshot) ? "none" : UNKNOWN) : (
            <Button size="compact-sm" variant="default" aria-expanded={isExplained} onClick={() => setExplained(!isExplained)} data-testid="exclusions">
              {countText(snapshot.excluded_count, "study", "studies")}
            </Button>
          )}
        </td>
        <td>{snapshot.sha256.slice(0, 12) || UNKNOWN}</td>
        <td className={styles.right}>
          {isReady(snapshot) && (
            <Group gap={6} justify="flex-end" wrap="nowrap">
              {older && (
                <Button size="compact-sm" variant="default" aria-expanded={isCompared} onClick={() => setCompared(!isCompared)} data-testid="compare">
                  Compare with the one before
                </Button>
              )}
              <ProvenDownload href={snapshotExportUrl(snapshot.id)} what="The snapshot, with the volumes of its patients," label="Export …" size="compact-sm" />
              <Button size="compact-sm" variant="default" onClick={() => onTrain(snapshot.id)} data-testid="train">Train</Button>
            </Group>
          )}
        </td>
      </tr>
      {((isCompared && older) || isExplained) && (
        <tr>
          <td colSpan={COLUMNS}>
            {isCompared && older && <SnapshotDifference snapshot={snapshot.id} older={older.id} />}
            {isExplained && <SnapshotExclusions snapshot={snapshot.id} />}
          </td>
        </tr>
      )}
    </>
  );
}

function Runs() {
  const runs = useQuery(runsQuery);
  return (
    <>
      <h2>Runs</h2>
      {runs.isError && <Problem error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.isPending && <Loading of="runs" />}
      {runs.data?.length === 0 && <p className={styles.dim}>Nothing was trained yet.</p>}
      {runs.data && runs.data.length > 0 && (
        <div className={styles.card}>
          <table className={styles.table} aria-label="Runs">
            <thead>
              <tr><th>Asked for</th><th>By</th><th>State</th><th>Step</th><th>Best validation Dice</th></tr>
            </thead>
            <tbody>{runs.data.map((run) => <RunLine key={run.id} run={run} />)}</tbody>
          </table>
        </div>
      )}
      {runs.data?.filter(isLive).map((run) => <LiveCurve key={run.id} run={run} />)}
    </>
  );
}

function RunLine({ run }: { run: TrainingRun }) {
  const left = run.seconds_left === null ? "" : `, about ${Math.ceil(run.seconds_left / 60)} min left`;
  return (
    <tr data-testid="run-row" data-state={run.state}>
      <td className={styles.keep}><Link to={`/training/runs/${run.id}`}>{timeText(run.created)}</Link></td>
      <td>{run.requested_by ?? "by schedule"}</td>
      <td>
        {run.state === "running" ? `${run.state}, ${run.stage}` : run.state}
        {run.reason && <div className={styles.dim}>{run.reason}</div>}
      </td>
      <td className={styles.keep}>{`${run.step} of ${run.recipe.steps ?? UNKNOWN}${left}`}</td>
      <td>{run.best_dice === null ? UNKNOWN : `${run.best_dice.toFixed(3)} at step ${run.best_step}`}</td>
    </tr>
  );
}

/** Only of what goes on: a curve is fetched step by step. */
function LiveCurve({ run }: { run: TrainingRun }) {
  const points = useQuery({ ...pointsQuery(run), enabled: run.step > 0 });
  if (!points.data) return null;
  return <div className={styles.card}><LearningCurve points={points.data} steps={run.recipe.steps ?? 1} /></div>;
}
