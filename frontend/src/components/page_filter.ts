import { useEffect } from "react";
import { useSearchParams } from "react-router";

import { ProblemError } from "../server/problem";

const NOT_FOUND = 404;

export interface PageFilter {
  readonly page: number;
  /** The word of that name in the address; empty where there is none. */
  read(name: string): string;
  /** Other words; the list begins at its first page again, unless that is what changes. */
  change(changes: Readonly<Record<string, string>>): void;
}

/** What a list was asked to show lives in the address: a reload, and the way back from a study, find it as it was. */
export function usePageFilter(): PageFilter {
  const [parameters, setParameters] = useSearchParams();
  const read = (name: string) => parameters.get(name) ?? "";
  const change = (changes: Readonly<Record<string, string>>) => {
    // Not what was drawn last: the page may be drawn later than the address changes, and two changes in one moment would undo each other.
    const next = new URLSearchParams(window.location.search);
    if (!("page" in changes)) next.delete("page");
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    setParameters(next, { replace: true });
  };
  return { page: Math.max(1, Math.trunc(Number(read("page"))) || 1), read, change };
}

/** Shows the first page where the list has not as many as the address asks for: it was longer when somebody kept the address. */
export function useExistingPage({ page, change }: PageFilter, error: Error | null): void {
  const isMissing = page > 1 && error instanceof ProblemError && error.status === NOT_FOUND;
  useEffect(() => {
    if (isMissing) change({ page: "" });
  });
}

/** The value that an address asks for; nothing where it asks for none of these. */
export function chosenOf<Value extends string>(choices: readonly { readonly value: Value }[], asked: string): Value | "" {
  return choices.find(({ value }) => value === asked)?.value ?? "";
}
