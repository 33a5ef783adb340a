import { applyPreset, WINDOW_PRESETS } from "../geometry/windowing";
import { activeStack } from "../viewport/open_panes";
import type { Command } from "./command";

const PRESETS = WINDOW_PRESETS.map<Command>((preset) => ({
  id: `window.preset.${preset.key}`,
  group: "Window",
  title: `Window: ${preset.name.toLowerCase()}`,
  keys: [preset.key],
  run: () => {
    const stack = activeStack();
    stack?.setWindow(applyPreset(stack.slices.window, preset));
  },
}));

export const WINDOW_COMMANDS: readonly Command[] = [
  ...PRESETS,
  { id: "window.auto", group: "Window", title: "Window by the slice's own brightness", keys: ["0"], run: () => activeStack()?.autoWindow() },
  { id: "window.invert", group: "Window", title: "Black and white swapped", keys: ["v"], run: () => activeStack()?.invert() },
];
