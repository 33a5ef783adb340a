import { isSameShape } from "../geometry/labels";
import { decodeMask, encodeMask, shapeOfMask } from "../geometry/mask_codec";
import { saysTheSame, type Side } from "../geometry/merge";
import type { DraftContent, StoredDraft } from "../server/drafts";
import { ProblemError, UNREACHABLE } from "../server/problem";
import type { Statement } from "../server/review";
import type { Ancestor } from "./draft_store";
import type { Base } from "./draft_view";

export function ancestorOf({ draft, mask }: StoredDraft): Ancestor {
  return { revision: draft.revision, base: draft.base, series: draft.series, mask, statements: draft.statements };
}

export function originOf({ annotation, series, labels, statements }: Base): Ancestor {
  return { revision: null, base: annotation, series, mask: encodeMask(labels), statements };
}

/** Whether the voxels of both are the same places: of one series, with as many slices as before. */
export function isOnGridOf(one: Ancestor, other: Ancestor): boolean {
  return one.series === other.series && isSameShape(shapeOfMask(one.mask), shapeOfMask(other.mask));
}

export function sideOf({ mask, statements }: Pick<Ancestor, "mask" | "statements">): Side<Statement> {
  return { labels: decodeMask(mask), statements };
}

/** The statement as the server signed it, unless it says something else by now. */
export function signedOf(statement: Statement, signed: ReadonlyMap<string, Statement>): Statement {
  const found = signed.get(statement.id);
  return found && saysTheSame(found, statement) ? found : statement;
}

/** A refusal that another attempt may overcome. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ProblemError) || [UNREACHABLE, 401, 408, 425, 429].includes(error.status) || error.status >= 500;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the server holds exactly this: after an undo, or a merge of the same edits. */
export function isStored({ mask, statements }: DraftContent, stored: Ancestor): boolean {
  const { revision, mask: storedMask, statements: said } = stored;
  if (revision === null || mask.length !== storedMask.length || statements.length !== said.length) return false;
  const known = new Map(said.map((statement) => [statement.id, statement]));
  const isSaid = (statement: Statement) => saysTheSame(known.get(statement.id) ?? { ...statement, kind: "" }, statement);
  return mask.every((byte, at) => byte === storedMask[at]) && statements.every(isSaid);
}
