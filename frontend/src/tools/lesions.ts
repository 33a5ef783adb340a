import type { Lesion } from "../server/types";
import type { Command, CommandContext } from "./command";

/** The slice of a lesion that is shown for it: the one of its own slices nearest to its centroid. */
export function sliceOfLesion({ slice_indices, centroid_index }: Lesion): number {
  const centre = centroid_index[0] ?? 0;
  const [first = 0] = slice_indices;
  return slice_indices.reduce((best, slice) => (Math.abs(slice - centre) < Math.abs(best - centre) ? slice : best), first);
}

/** Selects a lesion and goes to its slice. */
export function showLesion({ reading }: Pick<CommandContext, "reading">, lesion: Lesion): void {
  reading.selectLesion(lesion.number);
  reading.goTo(sliceOfLesion(lesion));
}

/** The lesion after or before the selected one, in the list's order, round and round. */
function moveBy(context: CommandContext, step: number): void {
  const { lesions, reading } = context;
  const at = lesions.findIndex(({ number }) => number === reading.selectedLesion);
  const start = at === -1 && step < 0 ? 0 : at;
  const lesion = lesions[(start + step + lesions.length) % Math.max(1, lesions.length)];
  if (lesion) showLesion(context, lesion);
}

export const LESION_COMMANDS: readonly Command[] = [
  { id: "lesion.next", group: "Lesions", title: "Next lesion", keys: ["n"], run: (context) => moveBy(context, 1) },
  { id: "lesion.previous", group: "Lesions", title: "Previous lesion", keys: ["p"], run: (context) => moveBy(context, -1) },
  { id: "lesion.none", group: "Lesions", title: "Select no lesion", keys: ["Escape"], run: ({ reading }) => reading.selectLesion(null) },
];
