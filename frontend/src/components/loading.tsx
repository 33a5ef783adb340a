import { Loader } from "@mantine/core";

interface LoadingProps {
  readonly of: string;
  readonly className?: string | undefined;
  readonly color?: string;
}

/** Turns while something is fetched, and says what: a label needs a role, which Mantine's bare span has not. */
export function Loading({ of, ...look }: LoadingProps) {
  return <Loader size="sm" role="status" aria-label={`Loading ${of}`} {...look} />;
}
