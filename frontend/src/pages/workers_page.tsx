import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { bytesText, countText, timeText, UNKNOWN } from "../components/formats";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { stageText } from "../components/study_state";
import type { Worker } from "../server/workers";
import { workersQuery } from "../state/workers";
import styles from "./plain_page.module.css";

/** Who works on what, and how much waits, for administrators. */
export function WorkersPage() {
  usePageTitle("Workers");
  const staff = useQuery(workersQuery);
  return (
    <div className={styles.page} data-testid="workers-page">
      <h1>Workers</h1>
      <p className={styles.lead}>Each worker takes tasks from its queues. One that is silent for a day is no longer listed.</p>
      {staff.isError && <Problem error={staff.error} onRetry={() => void staff.refetch()} />}
      {staff.isPending && <Loading of="workers" />}
      {staff.data && (
        <p className={styles.dim} data-testid="queues">
          {staff.data.queues.map(({ name, waiting }) => `${name}: ${countText(waiting, "task")} waiting`).join(" · ")}
        </p>
      )}
      {staff.data?.workers.length === 0 && <p className={styles.dim}>No worker was heard of.</p>}
      {staff.data && staff.data.workers.length > 0 && (
        <div className={styles.card}>
          <table className={styles.table} aria-label="Workers">
            <thead>
              <tr><th>Worker</th><th>Queues</th><th>Device</th><th>Started</th><th>Last seen</th><th>Works on</th></tr>
            </thead>
            <tbody>{staff.data.workers.map((worker) => <WorkerLine key={worker.name} worker={worker} />)}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function WorkerLine({ worker }: { worker: Worker }) {
  return (
    <tr data-testid="worker-row" data-alive={worker.is_alive}>
      <td className={styles.keep}>{worker.name}</td>
      <td>{worker.queues.join(", ")}</td>
      <td>
        {worker.device || UNKNOWN}
        {worker.gpus.map(({ name, free_bytes, memory_bytes }, index) => (
          <div key={index} className={styles.dim}>{`${name}, ${bytesText(free_bytes)} of ${bytesText(memory_bytes)} free`}</div>
        ))}
      </td>
      <td className={styles.keep}>{timeText(worker.started_at)}</td>
      <td className={styles.keep}>
        {timeText(worker.seen_at)} <Badge size="xs" variant="light" color={worker.is_alive ? "teal" : "orange"}>{worker.is_alive ? "alive" : "silent"}</Badge>
      </td>
      <td className={styles.wide}>
        {worker.errands.length === 0 && <span className={styles.dim}>nothing</span>}
        {worker.errands.map(({ kind, id, study, stage, since }) => (
          <div key={id}>
            {study ? <Link to={`/studies/${study}`}>{kind}</Link> : <Link to="/training">{kind}</Link>}
            {`${stage ? `, ${stageText(stage)}` : ""}${since ? `, since ${timeText(since)}` : ""}`}
          </div>
        ))}
      </td>
    </tr>
  );
}
