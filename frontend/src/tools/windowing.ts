import { applyPreset, WINDOW_PRESETS } from "../geometry/windowing";
import type { Command } from "./command";

const PRESETS = WINDOW_PRESETS.map<Command>((preset) => ({
  id: `window.preset.${preset.key}`,
  group: "Window",
  title: `Window: ${preset.name.toLowerCase()}`,
  keys: [preset.key],
  run: ({ stack, slices }) => slices && stack?.setWindow(applyPreset(slices.window, preset)),
}));

export const WINDOW_COMMANDS: readonly Command[] = [
  ...PRESETS,
  { id: "window.auto", group: "Window", title: "Window by the slice's own brightness", keys: ["0"], run: ({ stack }) => stack?.autoWindow() },
];
