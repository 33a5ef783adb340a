import type { Draft } from "../server/drafts";
import type { Statement } from "../server/review";

/** A statement that the mask does not bear out, and why, in the server's words. */
export interface Contradiction {
  readonly statement: Statement;
  readonly detail: string;
}

/** Those of the last save that still stand: what was withdrawn since is settled, also before the server knows. */
export function standingContradictions(draft: Draft | null, statements: readonly Statement[]): Contradiction[] {
  return (draft?.contradictions ?? []).flatMap(({ statement: id, detail }) => {
    const statement = statements.find((said) => said.id === id);
    return statement ? [{ statement, detail }] : [];
  });
}
