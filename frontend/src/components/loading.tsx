import { Loader } from "@mantine/core";
import { useIsFetching } from "@tanstack/react-query";

import styles from "./loading.module.css";

interface LoadingProps {
  readonly of: string;
  readonly className?: string | undefined;
  readonly color?: string;
}

/** Stands, and later turns, while something is fetched, and says what: a label needs a role, which Mantine's bare span has not. */
export function Loading({ of, className, color }: LoadingProps) {
  const isRetrying = useIsFetching({ predicate: ({ state }) => state.data === undefined && state.fetchFailureCount > 0 }) > 0;
  const label = `Loading ${of}`;
  const loader = <Loader size="sm" role="status" aria-label={label} className={`${styles.loader} ${isRetrying ? "" : (className ?? "")}`} color={color} />;
  if (!isRetrying) return loader;
  return (
    <div className={`${styles.retrying} ${className ?? ""}`}>
      {loader}
      <span role="status">No answer yet. Trying again…</span>
    </div>
  );
}
