import { advise } from "../state/advice";
import { otherClass } from "../geometry/edits/lesion";
import { editNow, type EditingTool } from "../state/editing";
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
    if (tool === "brush" && now.tool === "brush") now.chooseClass(otherClass(now.brushClass));
    else now.toggleTool(tool);
  };
}

const STEP = 1.25;

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
    run: ({ drafting }) => (drafting?.canUndo ? drafting.undo() : advise("There is nothing to undo.")),
  },
  {
    id: "edit.redo", group: "Correcting", title: "Redo", keys: ["Ctrl+Shift+z", "Ctrl+y"], isRepeated: true,
    run: ({ drafting }) => (drafting?.canRedo ? drafting.redo() : advise("There is nothing to do again.")),
  },
];
