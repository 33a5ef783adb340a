import { createStore, delMany, entries, set } from "idb-keyval";

import type { Statement } from "../server/review";

/** What the server held when a reader began to change it, or the version that a new draft grows from. */
export interface Ancestor {
  /** null: there was no draft yet. */
  readonly revision: number | null;
  readonly base: string;
  readonly series: string;
  /** In the bytes of the mask codec. */
  readonly mask: Uint8Array;
  readonly statements: readonly Statement[];
}

/** Edits that the server does not have yet. */
export interface KeptEdits {
  readonly user: string;
  readonly study: string;
  readonly ancestor: Ancestor;
  readonly mask: Uint8Array;
  readonly statements: readonly Statement[];
  readonly keptAt: number;
}

/** Unsaved edits in this browser; they outlive the tab. */
export interface DraftStore {
  /** Under a name of the tab's own, so that two tabs on one study do not overwrite each other. */
  keep(name: string, edits: KeptEdits): Promise<void>;
  forget(names: readonly string[]): Promise<void>;
  /** What other tabs of this user left behind on a study: those that are closed, oldest first. */
  leftBehind(user: string, study: string): Promise<readonly (readonly [name: string, edits: KeptEdits])[]>;
}

const LOCK_PREFIX = "plaqueview.draft.";

export class IndexedDraftStore implements DraftStore {
  readonly #store;

  constructor(database = "plaqueview-drafts") {
    this.#store = createStore(database, "edits");
  }

  keep(name: string, edits: KeptEdits): Promise<void> {
    return set(name, edits, this.#store);
  }

  forget(names: readonly string[]): Promise<void> {
    return delMany([...names], this.#store);
  }

  async leftBehind(user: string, study: string): Promise<(readonly [string, KeptEdits])[]> {
    const [all, open] = await Promise.all([entries<string, KeptEdits>(this.#store), openNames()]);
    return all
      .filter(([name, edits]) => edits.user === user && edits.study === study && !open.has(name))
      .toSorted(([, first], [, second]) => first.keptAt - second.keptAt);
  }
}

/** Locks exist on https and on this computer only; elsewhere each tab takes over what it finds. */
function locks(): LockManager | null {
  return globalThis.navigator?.locks ?? null;
}

/** The name is taken as long as this tab is open, or until the returned function is called. */
export function holdName(name: string): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  void locks()?.request(LOCK_PREFIX + name, () => released);
  return release;
}

async function openNames(): Promise<Set<string>> {
  const { held = [], pending = [] } = (await locks()?.query()) ?? {};
  return new Set([...held, ...pending].flatMap(({ name }) => (name?.startsWith(LOCK_PREFIX) ? [name.slice(LOCK_PREFIX.length)] : [])));
}

/** 128 random bits as a UUID; `crypto.randomUUID` is missing where a hospital serves the page without https. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
