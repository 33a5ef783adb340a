import { useMemo } from "react";

import type { LabelVolume } from "../geometry/labels";
import { countsBySize, type BySize } from "../geometry/lesion_size";
import type { Statement } from "../server/review";
import type { ByClass, Lesion } from "../server/types";
import { statementsByLesion } from "./anchors";
import type { Taker } from "./enhancement";
import { listed, rowsOf, saidByReaders, useLesionTable, type LesionChange, type LesionRow } from "./lesion_table";

interface Stated {
  readonly lesions: readonly Lesion[] | null;
  readonly labels: LabelVolume | null;
  readonly statements: readonly Statement[];
  /** By the lesion's number; null while there is no prior to compare with. */
  readonly changes: ReadonlyMap<number, LesionChange> | null;
  /** Those of the lesions that took up contrast agent. */
  readonly takers: readonly Taker[];
}

interface ListedLesions {
  readonly rows: readonly LesionRow[];
  readonly total: number;
  readonly saidByReaders: ByClass;
  /** Null while the lesions are not known, or where one was never measured within its slices. */
  readonly sizes: BySize | null;
}

/** The rows that the lesion table lists, in its order, and how many there are without its filter. */
export function useLesionRows({ lesions, labels, statements, changes, takers }: Stated): ListedLesions {
  const view = useLesionTable((table) => table.view);
  const byLesion = useMemo(() => statementsOf(lesions ?? [], labels, statements), [labels, lesions, statements]);
  const all = useMemo(() => rowsOf(lesions ?? [], byLesion, changes, new Set(takers.map(({ lesion }) => lesion))), [lesions, byLesion, changes, takers]);
  const sizes = useMemo(() => lesions && countsBySize(lesions.map(({ in_plane_axis_mm }) => in_plane_axis_mm)), [lesions]);
  const rows = useMemo(() => listed(all, view), [all, view]);
  return { rows, total: all.length, saidByReaders: saidByReaders(all), sizes };
}

/** A draft's lesions name their statement, as the server knew it; what lies in the labels now comes before that. */
function statementsOf(lesions: readonly (Lesion & { readonly statement?: string | null })[], labels: LabelVolume | null, statements: readonly Statement[]) {
  const byId = new Map(statements.map((statement) => [statement.id, statement]));
  const named = lesions.flatMap(({ number, statement }) => {
    const found = byId.get(statement ?? "");
    return found ? [[number, found] as const] : [];
  });
  return new Map([...named, ...(labels ? statementsByLesion(labels, lesions, statements) : [])]);
}
