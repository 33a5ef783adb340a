import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";

import type { SnapshotStudy } from "../server/training";
import { exclusionsQuery } from "../state/training";
import { countText } from "./formats";
import { Loading } from "./loading";
import { Problem } from "./problem";
import styles from "./run_dialog.module.css";

/** What the dataset left out, by pseudonym, below each reason why. */
export function SnapshotExclusions({ snapshot }: { snapshot: string }) {
  const exclusions = useQuery(exclusionsQuery(snapshot));
  if (exclusions.isError) return <Problem error={exclusions.error} onRetry={() => void exclusions.refetch()} />;
  if (!exclusions.data) return <Loading of="what was left out" />;
  return (
    <dl className={styles.difference} data-testid="snapshot-exclusions">
      {[...byReason(exclusions.data)].map(([reason, names]) => (
        <Fragment key={reason}>
          <dt>{`Left out: ${reason}`}</dt>
          <dd>{`${countText(names.length, "study", "studies")}: ${names.join(", ")}`}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function byReason(studies: readonly SnapshotStudy[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { patient, study, exclusion } of studies) {
    found.set(exclusion, [...(found.get(exclusion) ?? []), `${patient}/${study}`]);
  }
  return found;
}
