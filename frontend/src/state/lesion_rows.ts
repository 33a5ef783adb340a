import { useMemo } from "react";

import type { LabelVolume } from "../geometry/labels";
import type { Statement } from "../server/review";
import type { Annotation, Lesion } from "../server/types";
import { point3 } from "../geometry/affine";
import { statementsByLesion } from "./anchors";
import { listed, rowsOf, useLesionTable, type LesionChange, type LesionRow } from "./lesion_table";

interface Shown {
  readonly lesions: readonly Lesion[] | null;
  readonly labels: LabelVolume | null;
  readonly annotation: Annotation | null;
}

/** The rows that the lesion table lists, in its order, and how many there are without its filter. */
export function useLesionRows({ lesions, labels, annotation }: Shown, changes: ReadonlyMap<number, LesionChange> | null = null) {
  const view = useLesionTable((table) => table.view);
  const statements = useMemo(() => annotation?.statements.map(statementOf) ?? [], [annotation]);
  const byLesion = useMemo(
    () => (labels && lesions ? statementsByLesion(labels, lesions, statements) : new Map<number, Statement>()),
    [labels, lesions, statements],
  );
  const all = useMemo(() => rowsOf(lesions ?? [], byLesion, changes), [lesions, byLesion, changes]);
  const rows = useMemo<readonly LesionRow[]>(() => listed(all, view), [all, view]);
  return { rows, total: all.length };
}

function statementOf({ anchor, evidence, ...statement }: Annotation["statements"][number]): Statement {
  return { ...statement, evidence: evidence ?? null, anchor: point3(anchor) };
}
