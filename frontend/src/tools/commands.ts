import { useKeymap } from "../state/keymap";
import { CAMERA_COMMANDS } from "./camera";
import { CHANGE_COMMANDS } from "./changes";
import { chordOf } from "./chords";
import type { Command } from "./command";
import { EDITING_COMMANDS } from "./editing";
import { LESION_EDIT_COMMANDS } from "./lesion_edits";
import { LESION_COMMANDS } from "./lesions";
import { MEASURE_COMMANDS } from "./measuring";
import { OVERLAY_COMMANDS } from "./overlay";
import { PANE_COMMANDS } from "./panes";
import { ROOM_COMMANDS } from "./room";
import { SCROLL_COMMANDS } from "./scroll";
import { SLICE_EDIT_COMMANDS } from "./slice_edits";
import { WINDOW_COMMANDS } from "./windowing";

/** Everything that can be done to a study by key. No key stands twice. */
export const COMMANDS: readonly Command[] = [
  ...SCROLL_COMMANDS, ...WINDOW_COMMANDS, ...CAMERA_COMMANDS, ...OVERLAY_COMMANDS, ...LESION_COMMANDS, ...ROOM_COMMANDS,
  ...PANE_COMMANDS, ...MEASURE_COMMANDS, ...CHANGE_COMMANDS,
  ...LESION_EDIT_COMMANDS, ...EDITING_COMMANDS, ...SLICE_EDIT_COMMANDS,
];

/** The keys that run a command for this reader: chosen ones, else those that it comes with. */
export function keysOf(command: Command, chosen = useKeymap.getState().keys): readonly string[] {
  return chosen[command.id] ?? command.keys;
}

/** @param key a chord, or a bare key in either case */
export function commandOfKey(key: string): Command | undefined {
  const chord = chordOf({ key });
  return COMMANDS.find((command) => keysOf(command).includes(chord));
}

export function commandOfEvent(event: KeyboardEvent): Command | undefined {
  return commandOfKey(chordOf(event));
}

export function commandOf(id: string): Command {
  const found = COMMANDS.find((command) => command.id === id);
  if (!found) throw new RangeError(`There is no command ${id}.`);
  return found;
}
