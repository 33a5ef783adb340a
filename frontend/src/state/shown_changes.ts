import { CHANGE_KINDS, type BrightSpot, type ChangeKind, type LesionChange, type StudyChanges } from "../server/longitudinal";

/** What a reader goes through: what became of the lesions of the masks, and what became brighter without growing. */
export type ShownKind = ChangeKind | "brightened";

/** Activity first, the brighter places after what grew. */
export const SHOWN_KINDS: readonly ShownKind[] = CHANGE_KINDS.flatMap((kind): ShownKind[] => (kind === "enlarging" ? [kind, "brightened"] : [kind]));

const GROWN: ReadonlySet<ChangeKind | null> = new Set(["new", "enlarging"]);

/** A brighter place among the changes: it has no lesions at the prior, and voxels of its own. */
export interface BrightenedChange extends Omit<LesionChange, "change"> {
  readonly change: "brightened";
  readonly runs: BrightSpot["runs"];
}

export type ShownChange = LesionChange | BrightenedChange;

const shownOf = new WeakMap<StudyChanges, readonly ShownChange[]>();

/** The changes of the masks in the server's order, then the places that became brighter without growing. */
export function shownChanges(changes: StudyChanges): readonly ShownChange[] {
  const known = shownOf.get(changes);
  if (known) return known;
  const spots = (changes.brightening?.spots ?? []).filter(({ change }) => !GROWN.has(change));
  const shown = [...changes.changes, ...spots.map(brightenedChange)];
  shownOf.set(changes, shown);
  return shown;
}

function brightenedChange({ lesions, suggests, volume_ml, anchor, runs }: BrightSpot): BrightenedChange {
  return { change: "brightened", lesions, suggests, volume_ml, anchor, runs, prior_lesions: [], prior_volume_ml: 0 };
}

/** Places in C order. */
export function voxelsOfRuns(runs: BrightSpot["runs"]): number[] {
  return runs.flatMap(([first, length]) => Array.from({ length }, (_, step) => first + step));
}

/** How many there are of a kind; null where that was not looked for, or could not be told. */
export function countOf({ counts, brightening }: StudyChanges, kind: ShownKind): number | null {
  if (kind !== "brightened") return counts[kind];
  return brightening && !brightening.note ? brightening.without_growth : null;
}
