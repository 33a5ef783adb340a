import { useKeymap } from "../state/keymap";
import { chordText } from "../tools/chords";
import type { Command } from "../tools/command";
import { keysOf } from "../tools/commands";

/** The first of a command's keys as it stands on the keyboard; empty when it has none. */
export function useKeyText(command: Command): string {
  const [key] = useKeymap((keymap) => keysOf(command, keymap.keys));
  return key ? chordText(key) : "";
}

/** What a command does and by which key, for a tooltip. */
export function useKeyHint(command: Command, title = command.title): string {
  const key = useKeyText(command);
  return key ? `${title}  (${key})` : title;
}
