import type { Lesion, SliceStack } from "../server/types";
import type { Drafting } from "../state/drafting";
import type { Reading } from "../state/reading";
import type { ReadingStack } from "../viewport/reading_stack";

/** What a command may act on: the reading state, the open stack (null until it is drawn), and what is shown. */
export interface CommandContext {
  readonly reading: Reading;
  readonly stack: ReadingStack | null;
  readonly slices: SliceStack | null;
  /** As the lesion table shows them: its order, without the rows that its filter leaves out. */
  readonly lesions: readonly Lesion[];
  /** The study as this reader changes it; null where nothing can be. */
  readonly drafting: Drafting | null;
  /** What the page itself can do. */
  readonly room: Room;
}

export interface Room {
  openNextUnread(): void;
  openWorklist(): void;
  showKeys(): void;
  toggleStudyPanel(): void;
  togglePart(part: SidebarPart): void;
  /** Leads the keyboard to submitting or approving. */
  askReview(): void;
  askComment(): void;
}

/** What the panel at the right shows. */
export type SidebarPart = "lesions" | "review" | "versions";

/** In the order of the cheat sheet. */
export const COMMAND_GROUPS = ["Slices", "Lesions", "Correcting", "Overlay", "Window", "View", "Panes", "Measuring", "Review"] as const;

export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** One thing that a reader can do: found by key, on the cheat sheet, and wherever a button calls it. */
export interface Command {
  readonly id: string;
  readonly group: CommandGroup;
  readonly title: string;
  /**
   * Chords that run it unless the reader chose others: `KeyboardEvent.key` in small letters, with "Ctrl+", "Alt+" and
   * "Shift+" before it in this order; Shift is not written for signs that need it, such as "?".
   */
  readonly keys: readonly string[];
  /** Whether it runs again and again while its key is held; others run once. */
  readonly isRepeated?: true;
  run(context: CommandContext): void;
  /** Only for commands that last while the key is held. */
  release?(context: CommandContext, heldMs: number): void;
}
