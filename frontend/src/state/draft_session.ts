import type { VoxelEdit } from "../geometry/edits/voxel_edit";
import type { LabelVolume } from "../geometry/labels";
import { decided, merge, type Merged, type Side } from "../geometry/merge";
import { PRECONDITION_FAILED, type Draft } from "../server/drafts";
import { ProblemError } from "../server/problem";
import type { Statement } from "../server/review";
import { ancestorOf, isOnGridOf, isPassing, isStored, originOf, sideOf, signedOf, textOf } from "./ancestor";
import type { Ancestor, DraftStore } from "./draft_store";
import { DRAFT_TIMING, type Base, type DraftServer, type DraftTiming, type DraftView, type SaveState } from "./draft_view";
import type { Edit } from "./history";
import { KeptEditsOfTab } from "./kept_edits";
import { WorkingCopy } from "./working_copy";

const OTHERS_FIRST = "The study has a draft of another series, and only one at a time.";

interface Dispute {
  readonly stored: Ancestor;
  readonly draft: Draft | null;
  readonly merged: Merged<Statement>;
}

/**
 * One reader's work on the draft of one study: saved by itself, kept in this browser until the server has it, merged with
 * what other readers save.
 */
export class DraftSession {
  readonly #kept: KeptEditsOfTab;
  readonly #copy: WorkingCopy;
  readonly #listeners = new Set<() => void>();
  /** What the server held when the edits that are not saved yet began. */
  #ancestor: Ancestor;
  #draft: Draft | null = null;
  #dispute: Dispute | null = null;
  #save: SaveState = "none";
  #problem: string | null = null;
  #isReady = false;
  /** The server may hold something newer than the ancestor. */
  #isStale = false;
  /** An answer of the server is on its way, which may be older than what is heard before it comes. */
  #isAsking = false;
  #isClosed = false;
  #savedCount = 0;
  #dirtySince = 0;
  #saving: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retries = 0;
  #view: DraftView;

  constructor(
    owner: { readonly user: string; readonly study: string },
    base: Base,
    private readonly server: DraftServer,
    store: DraftStore,
    private readonly timing: DraftTiming = DRAFT_TIMING,
  ) {
    this.#kept = new KeptEditsOfTab(owner, store);
    this.#copy = new WorkingCopy(base);
    this.#ancestor = originOf(base);
    this.#view = this.#viewNow();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  view = (): DraftView => this.#view;

  /** Under which its unsaved edits are kept in this browser. */
  get name(): string {
    return this.#kept.name;
  }

  get isDirty(): boolean {
    return this.#copy.editCount !== this.#savedCount;
  }

  /** Takes the server's draft, and then what a closed tab left behind. */
  async start(): Promise<void> {
    await this.#ask(async () => {
      const stored = await this.server.fetch();
      if (stored) this.#reconcile(ancestorOf(stored), stored.draft);
    });
    await this.#adopt();
    this.#isReady = true;
    this.#tell();
  }

  /** Does one step and saves it soon. */
  edit(edit: Edit): void {
    this.endStroke();
    if (this.#copy.edit(edit)) this.#changed();
  }

  undo(): void {
    this.endStroke();
    if (this.#copy.undo()) this.#changed();
  }

  redo(): void {
    this.endStroke();
    if (this.#copy.redo()) this.#changed();
  }

  /** The labels with a piece more of a stroke that is still being drawn, which no listener hears of. */
  extendStroke(piece: VoxelEdit): LabelVolume {
    this.#copy.extendStroke(piece);
    return this.#copy.drawnLabels;
  }

  /** The stroke is one step, saved soon. */
  endStroke(statementsOf: (stroke: VoxelEdit) => readonly Statement[] = () => []): void {
    if (!this.#copy.isDrawing) return;
    if (this.#copy.endStroke(statementsOf)) this.#changed();
    if (this.#isStale) void this.#catchUp();
  }

  cancelStroke(): void {
    this.#copy.cancelStroke();
    this.#tell();
    if (this.#isStale) void this.#catchUp();
  }

  /** Somebody saved the draft; 0: it was submitted or discarded. */
  heard(revision: number): void {
    const known = this.#ancestor.revision ?? 0;
    if (!this.#isAsking && (revision === known || (revision !== 0 && revision < known))) return;
    this.#isStale = true;
    if (!this.#isAsking && !this.#saving && !this.#copy.isDrawing) void this.#catchUp();
  }

  /** The connection is back, or events may have been missed: asks the server at once. */
  retryNow(): void {
    if (this.#isClosed || this.#saving || this.#copy.isDrawing) return;
    void this.#catchUp();
  }

  /** Everything is saved once this resolves, or is kept in this browser for another time. */
  async saveNow(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#saving) await this.#saving;
    if (this.#dispute || !this.isDirty) return;
    if (this.#copy.isDrawing) return this.#saveLater();
    this.#saving = this.#put().finally(() => (this.#saving = null));
    await this.#saving;
    if (this.#isStale && !this.#copy.isDrawing) await this.#catchUp();
    else if (this.isDirty && this.#save !== "offline") this.#saveLater();
  }

  /** The draft is gone, on the server and here, with everything that was changed since its base. */
  async discard(): Promise<void> {
    await this.#saving;
    clearTimeout(this.#timer);
    const { revision } = this.#dispute?.stored ?? this.#ancestor;
    if (revision !== null) await this.server.discard(revision);
    this.#restart(await this.server.fetchBase());
    // What was here only may have waited for a draft of another series.
    if (revision === null) await this.#catchUp();
  }

  /**
   * The draft is a version now. A reader who changed nothing submits the version before as it is.
   * Throws when the draft could not be saved.
   */
  async submit(comment: string): Promise<{ readonly id: string }> {
    this.endStroke();
    if (!this.#draft) this.#copy.countChange();
    await this.saveNow();
    if (this.isDirty || !this.#draft) throw new Error(this.#problem ?? "The draft is not saved yet, so it was not submitted.");
    const version = await this.server.submit(this.#draft.id, this.#draft.revision, comment);
    this.#restart(await this.server.fetchBase());
    return version;
  }

  /** Another version is current: the base from now on, unless somebody has begun to change the one before. */
  rebase(base: Base): void {
    const { revision, base: known } = this.#ancestor;
    if (revision === null && !this.isDirty && !this.#copy.isDrawing && base.annotation !== known) this.#restart(base);
  }

  /** Each place of the conflict is decided, in their order. */
  resolve(choices: readonly ("mine" | "theirs")[]): void {
    if (!this.#dispute) return;
    const { stored, draft, merged } = this.#dispute;
    this.#settle(stored, draft, decided(merged, choices));
    void this.saveNow();
  }

  /** Saves what is left and goes on no more. */
  async close(): Promise<void> {
    this.endStroke();
    await this.saveNow();
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#kept.settled();
  }

  #changed(): void {
    if (this.#copy.editCount === this.#savedCount + 1) this.#dirtySince = Date.now();
    this.#keep();
    if (this.#dispute) this.#reconcile(this.#dispute.stored, this.#dispute.draft);
    else this.#saveLater();
    this.#tell();
  }

  #saveLater(): void {
    const latest = this.#dirtySince + this.timing.saveAtLatestMs - Date.now();
    this.#schedule(Math.max(0, Math.min(this.timing.saveAfterMs, latest)), () => void this.saveNow());
  }

  #retryLater(): void {
    const wait = Math.min(this.timing.longestRetryMs, this.timing.firstRetryMs * 2 ** this.#retries);
    this.#retries += 1;
    this.#schedule(wait, () => this.retryNow());
  }

  #schedule(waitMs: number, action: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(action, waitMs);
  }

  async #put(): Promise<void> {
    const count = this.#copy.editCount;
    const { base, revision } = this.#ancestor;
    const content = { base, mask: this.#copy.encode(), statements: this.#copy.statements };
    if (isStored(content, this.#ancestor)) return this.#saved(count, this.#ancestor, this.#draft);
    this.#save = "saving";
    this.#tell();
    try {
      const draft = await this.server.save(content, revision);
      this.#saved(count, ancestorOf({ draft, mask: content.mask }), draft);
    } catch (error) {
      if (error instanceof ProblemError && error.status === PRECONDITION_FAILED) this.#isStale = true;
      else this.#failed(error);
    }
  }

  #saved(count: number, stored: Ancestor, draft: Draft | null): void {
    this.#savedCount = count;
    this.#dirtySince = Date.now();
    const signed = new Map(stored.statements.map((statement) => [statement.id, statement]));
    this.#copy.sign((statement) => signedOf(statement, signed));
    this.#holds(stored, draft);
    this.#keep();
    this.#tell();
    if (!this.isDirty) void this.#adopt();
  }

  /** The server holds this, and no edit is on this computer only. */
  #holds(stored: Ancestor, draft: Draft | null): void {
    this.#ancestor = stored;
    this.#draft = draft;
    this.#dispute = null;
    this.#save = draft ? "saved" : "none";
    this.#problem = null;
    this.#retries = 0;
  }

  #failed(error: unknown): void {
    if (this.isDirty) this.#save = this.#dispute ? "conflict" : "offline";
    this.#problem = textOf(error);
    if (isPassing(error)) this.#retryLater();
    this.#tell();
  }

  /** What the server holds now is on the screen, together with what is not saved yet. */
  async #catchUp(): Promise<void> {
    if (this.#isAsking) return void (this.#isStale = true);
    clearTimeout(this.#timer);
    await this.#ask(async () => {
      const stored = await this.server.fetch();
      const latest = stored ? ancestorOf(stored) : await this.#afterDraft();
      if (this.#copy.isDrawing || this.#saving) this.#isStale = true;
      else this.#reconcile(latest, stored?.draft ?? null);
    });
  }

  /** Asks again when something was heard before the answer came. */
  async #ask(question: () => Promise<void>): Promise<void> {
    this.#isStale = false;
    this.#isAsking = true;
    try {
      await question();
    } catch (error) {
      this.#isStale = true;
      return this.#failed(error);
    } finally {
      this.#isAsking = false;
    }
    if (this.#isStale && !this.#saving && !this.#copy.isDrawing) await this.#catchUp();
  }

  /**
   * There is no draft, or it was submitted or discarded: the study's version is what the next one grows from. Edits that
   * are not saved yet and lie on another grid go on from the version that they began with.
   */
  async #afterDraft(): Promise<Ancestor> {
    if (this.#ancestor.revision === null) return this.#ancestor;
    const current = originOf(await this.server.fetchBase());
    if (!this.isDirty || isOnGridOf(current, this.#ancestor)) return current;
    return originOf(await this.server.fetchVersion(this.#ancestor.base));
  }

  #reconcile(stored: Ancestor, draft: Draft | null): void {
    if (!this.isDirty) return this.#take(stored, draft);
    if (!isOnGridOf(stored, this.#ancestor)) return this.#wait();
    const merged = merge(sideOf(this.#ancestor), this.#copy.side, sideOf(stored));
    if (merged.conflicts.length === 0) return this.#settle(stored, draft, merged);
    this.#dispute = { stored, draft, merged };
    this.#save = "conflict";
    this.#tell();
  }

  /** The server holds a draft that these edits cannot be merged with; they are kept here until it has ended. */
  #wait(): void {
    this.#dispute = null;
    this.#save = "offline";
    this.#problem = OTHERS_FIRST;
    this.#retryLater();
    this.#tell();
  }

  /** Both sides are on the screen as one, to be saved over what the server holds. */
  #settle(stored: Ancestor, draft: Draft | null, side: Side<Statement>): void {
    this.#holds(stored, draft);
    this.#copy.replace(side);
    this.#copy.countChange();
    this.#keep();
    this.#saveLater();
    this.#tell();
  }

  #take(stored: Ancestor, draft: Draft | null): void {
    const isAnother = stored.revision !== this.#ancestor.revision || stored.base !== this.#ancestor.base;
    if (isAnother && !isOnGridOf(stored, this.#ancestor)) this.#copy.forgetSteps();
    if (isAnother) this.#copy.replace(sideOf(stored));
    this.#holds(stored, draft);
    this.#tell();
  }

  #restart(base: Base): void {
    this.#copy.forgetSteps();
    this.#savedCount = this.#copy.editCount;
    this.#copy.replace(sideOf(originOf(base)));
    this.#holds(originOf(base), null);
    this.#keep();
    this.#tell();
  }

  /** Edits that a closed tab left behind become edits of this one. */
  async #adopt(): Promise<void> {
    if (this.isDirty || this.#copy.isDrawing || this.#isClosed) return;
    const isFree = !this.#draft && !this.#isStale;
    const left = await this.#kept.adopt((ancestor) => isFree || isOnGridOf(ancestor, this.#ancestor));
    if (!left) return;
    const [stored, draft] = [this.#ancestor, this.#draft];
    this.#copy.replace(sideOf(left));
    this.#copy.countChange();
    this.#ancestor = left.ancestor;
    this.#keep();
    if (this.#isStale) this.#failed(new Error(this.#problem ?? "The server did not answer yet."));
    else if (isOnGridOf(stored, left.ancestor)) this.#reconcile(stored, draft);
    else await this.#catchUp();
  }

  #keep(): void {
    this.#kept.write(() => (this.isDirty ? { mask: this.#copy.encode(), statements: this.#copy.statements, ancestor: this.#ancestor } : null));
  }

  #tell(): void {
    this.#view = this.#viewNow();
    for (const listener of this.#listeners) listener();
  }

  #viewNow(): DraftView {
    const { labels, statements, canUndo, canRedo } = this.#copy;
    const dispute = this.#dispute;
    return {
      isReady: this.#isReady, labels, statements, draft: this.#draft, base: this.#ancestor.base, series: this.#ancestor.series, isDirty: this.isDirty,
      save: this.#save, problem: this.#problem, canUndo, canRedo,
      conflict: dispute && { places: dispute.merged.conflicts, author: dispute.draft?.author ?? null, modified: dispute.draft?.modified ?? null },
    };
  }
}
