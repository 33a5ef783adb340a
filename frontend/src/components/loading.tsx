import { Loader } from "@mantine/core";
import { useIsFetching } from "@tanstack/react-query";

import styles from "./loading.module.css";

interface LoadingProps {
  readonly of: string;
  readonly className?: string | undefined;
  readonly color?: string;
}

/** Turns while something is fetched, and says what: a label needs a role, which Mantine's bare span has not. */
export function Loading({ of, className, color }: LoadingProps) {
  const isRetrying = useIsFetching({ predicate: ({ state }) => state.data === undefined && state.fetchFailureCount > 0 }) > 0;
  const label = `Loading ${of}`;
  if (!isRetrying) return <Loader size="sm" role="status" aria-label={label} className={className} color={color} />;
  return (
    <div className={`${styles.retrying} ${className ?? ""}`}>
      <Loader size="sm" role="status" aria-label={label} color={color} />
      <span role="status">The server did not answer. Trying again…</span>
    </div>
  );
}
