import { advise } from "../state/advice";
import { otherClass } from "../geometry/edits/lesion";
import type { Drafting } from "../state/drafting";
import { editNow, type EditingTool } from "../state/editing";
import { showPlainMarks } from "../state/plain_marks";
import type { Command } from "./command";
import { correctable } from "./lesion_target";

const TOOLS: readonly { tool: EditingTool; key: string; title: string }[] = [
  { tool: "brush", key: "d", title: "Draw; again: with the other class" },
  { tool: "eraser", key: "e", title: "Erase" },
  { tool: "threshold_brush", key: "q", title: "Draw only what is as bright as where you begin" },
  { tool: "split", key: "k", title: "Split a lesion by a line" },
];

/** A brush that is pressed again paints the other class; other tools are put away. */
function choose(tool: EditingTool): Command["run"] {
  return (context) => {
    if (!correctable(context)) return;
    const now = editNow();
    if (now.tool !== tool) showPlainMarks();
    if (tool === "brush" && now.tool === "brush") now.chooseClass(otherClass(now.brushClass));
    else now.toggleTool(tool);
  };
}

const STEP = 1.25;

/** A step back or forth, which changes the slices as every correction does. */
function takeStep(isThere: "canUndo" | "canRedo", take: (drafting: Drafting) => void, otherwise: string): Command["run"] {
  return (context) => {
    const room = correctable(context);
    if (!room) return;
    if (room.drafting[isThere]) take(room.drafting);
    else advise(otherwise);
  };
}

export const EDITING_COMMANDS: readonly Command[] = [
  ...TOOLS.map<Command>(({ tool, key, title }) => ({ id: `edit.${tool}`, group: "Correcting", title, keys: [key], run: choose(tool) })),
  {
    id: "edit.smaller", group: "Correcting", title: "Smaller brush", keys: ["["], isRepeated: true,
    run: () => editNow().resize(Math.min(editNow().sizeMm - 0.5, editNow().sizeMm / STEP)),
  },
  {
    id: "edit.larger", group: "Correcting", title: "Larger brush", keys: ["]"], isRepeated: true,
    run: () => editNow().resize(Math.max(editNow().sizeMm + 0.5, editNow().sizeMm * STEP)),
  },
  {
    id: "edit.undo", group: "Correcting", title: "Undo", keys: ["Ctrl+z"], isRepeated: true,
    run: takeStep("canUndo", ({ undo }) => undo(), "There is nothing to undo."),
  },
  {
    id: "edit.redo", group: "Correcting", title: "Redo", keys: ["Ctrl+Shift+z", "Ctrl+y"], isRepeated: true,
    run: takeStep("canRedo", ({ redo }) => redo(), "There is nothing to do again."),
  },
];
