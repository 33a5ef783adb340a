import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Loading } from "./loading";
import { Problem } from "./problem";

interface FetchedProps<Data> {
  readonly query: Pick<UseQueryResult<Data>, "data" | "error" | "refetch">;
  readonly of: string;
  children(data: Data): ReactNode;
}

/** What was fetched, once it is here; until then that it is on its way, or why it did not come. */
export function Fetched<Data>({ query: { data, error, refetch }, of, children }: FetchedProps<Data>) {
  if (data !== undefined) return children(data);
  return error ? <Problem error={error} onRetry={() => void refetch()} /> : <Loading of={of} />;
}

/** What is fetched again and again, as it was known last, with why it did not come anew. */
export function Followed<Data>({ query: { data, error, refetch }, of, children }: FetchedProps<Data>) {
  return (
    <>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data === undefined ? !error && <Loading of={of} /> : children(data)}
    </>
  );
}
