import { CAMERA_COMMANDS } from "./camera";
import type { Command } from "./command";
import { LESION_COMMANDS } from "./lesions";
import { OVERLAY_COMMANDS } from "./overlay";
import { SCROLL_COMMANDS } from "./scroll";
import { WINDOW_COMMANDS } from "./windowing";

/** Everything that can be done to a study by key. No key stands twice. */
export const COMMANDS: readonly Command[] = [
  ...SCROLL_COMMANDS, ...WINDOW_COMMANDS, ...CAMERA_COMMANDS, ...OVERLAY_COMMANDS, ...LESION_COMMANDS,
];

const BY_KEY = new Map(COMMANDS.flatMap((command) => command.keys.map((key) => [key.toLowerCase(), command] as const)));

export function commandOfKey(key: string): Command | undefined {
  return BY_KEY.get(key.toLowerCase());
}

export function commandOf(id: string): Command {
  const found = COMMANDS.find((command) => command.id === id);
  if (!found) throw new RangeError(`There is no command ${id}.`);
  return found;
}
