import { useQuery } from "@tanstack/react-query";

import { exclusionsQuery } from "../state/training";
import { Loading } from "./loading";
import { Problem } from "./problem";
import styles from "./run_dialog.module.css";

/** What the dataset left out, by pseudonym, and why. */
export function SnapshotExclusions({ snapshot }: { snapshot: string }) {
  const exclusions = useQuery(exclusionsQuery(snapshot));
  if (exclusions.isError) return <Problem error={exclusions.error} onRetry={() => void exclusions.refetch()} />;
  if (!exclusions.data) return <Loading of="what was left out" />;
  return (
    <dl className={styles.difference} data-testid="snapshot-exclusions">
      {exclusions.data.map(({ patient, study, exclusion }) => (
        <div key={study} className={styles.pair}>
          <dt>{`${patient}/${study}`}</dt>
          <dd>{exclusion}</dd>
        </div>
      ))}
    </dl>
  );
}
