import { useQuery } from "@tanstack/react-query";

import { differenceQuery } from "../state/training";
import { countText } from "./formats";
import { Loading } from "./loading";
import { Problem } from "./problem";
import styles from "./run_dialog.module.css";

/** What one dataset has that an older one has not, by pseudonym. */
export function SnapshotDifference({ snapshot, older }: { snapshot: string; older: string }) {
  const difference = useQuery(differenceQuery(snapshot, older));
  if (difference.isError) return <Problem error={difference.error} onRetry={() => void difference.refetch()} />;
  if (!difference.data) return <Loading of="difference" />;
  const { added, removed, relabelled, unchanged_count } = difference.data;
  return (
    <dl className={styles.difference} data-testid="snapshot-difference">
      <Studies what="New" names={added} />
      <Studies what="No longer in it" names={removed} />
      <Studies what="With other labels or images" names={relabelled} />
      <dt>The same in both</dt>
      <dd>{countText(unchanged_count, "study", "studies")}</dd>
    </dl>
  );
}

function Studies({ what, names }: { what: string; names: readonly string[] }) {
  return (
    <>
      <dt>{what}</dt>
      <dd>{names.length === 0 ? "none" : `${countText(names.length, "study", "studies")}: ${names.join(", ")}`}</dd>
    </>
  );
}
