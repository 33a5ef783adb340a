import type { LabelVolume } from "../geometry/labels";
import type { MergeConflict } from "../geometry/merge";
import type { Draft, DraftContent, StoredDraft } from "../server/drafts";
import type { Statement } from "../server/review";

/** Where the reader's edits are: nowhere yet, with the server, on their way, on this computer only, or disputed. */
export type SaveState = "none" | "saved" | "saving" | "offline" | "conflict";

/** The version that a draft grows from: its mask, and what readers said of it. */
export interface Base {
  readonly annotation: string;
  /** The series on whose grid its labels lie. */
  readonly series: string;
  readonly labels: LabelVolume;
  readonly statements: readonly Statement[];
}

/** Both sides of what two readers changed differently; neither is lost until the reader chose. */
export interface Conflict {
  readonly places: readonly MergeConflict<Statement>[];
  /** Who saved the side that the server holds, and when; null where the draft is gone. */
  readonly author: string | null;
  readonly modified: string | null;
}

/** What a session asks of the server. */
export interface DraftServer {
  fetch(): Promise<StoredDraft | null>;
  save(content: DraftContent, revision: number | null): Promise<Draft>;
  discard(revision: number): Promise<void>;
  submit(draft: string, revision: number, comment: string): Promise<{ readonly id: string }>;
  /** The study's current version with its mask, once a draft is gone. */
  fetchBase(): Promise<Base>;
  /** Any version of the study with its mask. */
  fetchVersion(annotation: string): Promise<Base>;
}

export interface DraftTiming {
  readonly saveAfterMs: number;
  readonly saveAtLatestMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

export const DRAFT_TIMING: DraftTiming = { saveAfterMs: 600, saveAtLatestMs: 3_000, firstRetryMs: 1_000, longestRetryMs: 15_000 };

/** A draft at one moment. */
export interface DraftView {
  /** False until it is known whether the server or this browser holds a draft. */
  readonly isReady: boolean;
  /** Another object after every step. */
  readonly labels: LabelVolume;
  readonly statements: readonly Statement[];
  /** As the server saved it last; null while it has none. */
  readonly draft: Draft | null;
  readonly base: string;
  /** The series that the base was made of, and the draft with it. */
  readonly series: string;
  readonly isDirty: boolean;
  readonly save: SaveState;
  /** Why edits are on this computer only; null while they are not. */
  readonly problem: string | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly conflict: Conflict | null;
}
