import { useQuery } from "@tanstack/react-query";

import type { TrainingRun } from "../server/training";
import { logQuery } from "../state/training";
import { Loading } from "./loading";
import { Problem } from "./problem";
import styles from "./run_log.module.css";

/** The newest lines of the run's log; it stays at its end until somebody scrolls back. */
export function RunLog({ run, step }: { run: TrainingRun; step: number }) {
  const log = useQuery(logQuery(run, step));
  if (log.isError) return <Problem error={log.error} onRetry={() => void log.refetch()} />;
  if (log.data === undefined) return <Loading of="log" />;
  return (
    // oxlint-disable-next-line no-noninteractive-tabindex -- what scrolls has to be reached by keyboard
    <div className={styles.log} tabIndex={0} role="log" aria-label="Log of the run" data-testid="run-log"><pre>{log.data}</pre></div>
  );
}
