import type { DragTool } from "../state/reading";
import { activeStack } from "../viewport/open_panes";
import type { Command } from "./command";

const ZOOM_FACTOR = 1.2;

const DRAGS: readonly { tool: DragTool; key: string; title: string }[] = [
  { tool: "window", key: "w", title: "Drag changes the window" },
  { tool: "zoom", key: "z", title: "Drag zooms" },
  { tool: "pan", key: "m", title: "Drag moves the slice" },
  { tool: "scroll", key: "s", title: "Drag scrolls" },
];

export const CAMERA_COMMANDS: readonly Command[] = [
  { id: "view.zoom_in", group: "View", title: "Zoom in", keys: ["+", "="], isRepeated: true, run: () => activeStack()?.zoomBy(ZOOM_FACTOR) },
  { id: "view.zoom_out", group: "View", title: "Zoom out", keys: ["-"], isRepeated: true, run: () => activeStack()?.zoomBy(1 / ZOOM_FACTOR) },
  { id: "view.reset", group: "View", title: "Reset window, zoom and position", keys: ["r"], run: () => activeStack()?.reset() },
  ...DRAGS.map<Command>(({ tool, key, title }) => ({
    id: `view.drag.${tool}`, group: "View", title, keys: [key], run: ({ reading }) => reading.chooseDragTool(tool),
  })),
];
