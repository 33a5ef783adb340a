import { newId, type Ancestor, type DraftStore, type KeptEdits } from "./draft_store";

type Edits = Pick<KeptEdits, "ancestor" | "mask" | "statements">;

/** The place of one tab in this browser's store of unsaved edits; one write at a time, the latest wins. */
export class KeptEditsOfTab {
  readonly name = newId();
  readonly #adopted: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #isAwaited = false;

  constructor(private readonly owner: { readonly user: string; readonly study: string }, private readonly store: DraftStore) {}

  /** Keeps what there is to keep when its turn comes; null takes it out, with what was adopted, since the server has it. */
  write(editsNow: () => Edits | null): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    const turn = async () => {
      this.#isAwaited = false;
      const edits = editsNow();
      if (edits) await this.store.keep(this.name, { ...this.owner, ...edits, keptAt: Date.now() });
      else await this.store.forget([this.name, ...this.#adopted]);
    };
    // A browser that keeps nothing, such as a private window, still saves to the server.
    this.#writing = this.#writing.then(turn).catch(() => undefined);
  }

  /** The oldest edits that a closed tab left behind and that can be gone on with now; null when there are none left. */
  async adopt(canGoOn: (ancestor: Ancestor) => boolean): Promise<KeptEdits | null> {
    const found = await this.store.leftBehind(this.owner.user, this.owner.study).catch(() => []);
    const next = found.find(([name, { ancestor }]) => name !== this.name && !this.#adopted.includes(name) && canGoOn(ancestor));
    if (!next) return null;
    this.#adopted.push(next[0]);
    return next[1];
  }

  /** Every write so far is done. */
  settled(): Promise<void> {
    return this.#writing;
  }
}
