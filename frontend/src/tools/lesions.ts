import type { Lesion } from "../server/types";
import { middleSliceOf } from "../state/anchors";
import { editNow } from "../state/editing";
import type { Reading } from "../state/reading";
import type { Command, CommandContext } from "./command";

/** Selects a lesion and goes to its slice. */
export function showLesion({ reading }: Pick<CommandContext, "reading">, lesion: Lesion): void {
  reading.selectLesion(lesion.number);
  reading.goTo(middleSliceOf(lesion));
}

/** The lesion after or before the selected one, in the table's order, round and round. */
function moveBy(context: CommandContext, step: number): void {
  const { lesions, reading } = context;
  const at = lesions.findIndex(({ number }) => number === reading.selectedLesion);
  const start = at === -1 && step < 0 ? 0 : at;
  const lesion = lesions[(start + step + lesions.length) % Math.max(1, lesions.length)];
  if (lesion) showLesion(context, lesion);
}

function leave(reading: Reading): void {
  const { tool, chooseTool } = editNow();
  if (tool === "none") reading.selectLesion(null);
  else chooseTool("none");
}

export const LESION_COMMANDS: readonly Command[] = [
  { id: "lesion.next", group: "Lesions", title: "Next lesion", keys: ["n"], isRepeated: true, run: (context) => moveBy(context, 1) },
  { id: "lesion.previous", group: "Lesions", title: "Previous lesion", keys: ["p"], isRepeated: true, run: (context) => moveBy(context, -1) },
  { id: "lesion.none", group: "Lesions", title: "Put the tool away, then select no lesion", keys: ["Escape"], run: ({ reading }) => leave(reading) },
];
