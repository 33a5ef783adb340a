import type { Lesion, SliceStack } from "../server/types";
import type { Reading } from "../state/reading";
import type { ReadingStack } from "../viewport/reading_stack";

/** What a command may act on: the reading state, the open stack (null until it is drawn), and what is shown. */
export interface CommandContext {
  readonly reading: Reading;
  readonly stack: ReadingStack | null;
  readonly slices: SliceStack | null;
  readonly lesions: readonly Lesion[];
}

export type CommandGroup = "Slices" | "Window" | "View" | "Overlay" | "Lesions";

/** One thing that a reader can do: found by key, on the cheat sheet, and wherever a button calls it. */
export interface Command {
  readonly id: string;
  readonly group: CommandGroup;
  readonly title: string;
  /** `KeyboardEvent.key` values that run it; letters count in both cases. */
  readonly keys: readonly string[];
  run(context: CommandContext): void;
  /** Only for commands that last while the key is held. */
  release?(context: CommandContext, heldMs: number): void;
}
