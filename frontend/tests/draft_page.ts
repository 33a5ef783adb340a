import "fake-indexeddb/auto";

import { afterEach, beforeEach } from "vitest";

import { editOf } from "../src/geometry/edits/voxel_edit";
import { discardDraft, fetchDraft, saveDraft, submitDraft } from "../src/server/drafts";
import type { Statement } from "../src/server/review";
import { DraftSession } from "../src/state/draft_session";
import { IndexedDraftStore } from "../src/state/draft_store";
import type { Base } from "../src/state/draft_view";
import type { Edit } from "../src/state/history";
import { DraftServer, labelsOf, STUDY } from "./draft_server";

/** A reader's pages on one study, and the server behind them; new for each test of a file that imports this. */

const TIMING = { saveAfterMs: 20, saveAtLatestMs: 60, firstRetryMs: 20, longestRetryMs: 40 };

export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const BASE = "11002200";
const VERSION: Base = { annotation: "base", series: "series", labels: labelsOf(BASE), statements: [] };
const realFetch = globalThis.fetch;
export let server: DraftServer;
let database = 0;
const open: DraftSession[] = [];

/** A reader's page; the browser's store is shared by every page of a test. */
export async function page(user = "me"): Promise<DraftSession> {
  const draftServer = {
    fetch: () => fetchDraft(STUDY),
    save: (content: Parameters<typeof saveDraft>[1], revision: number | null) => saveDraft(STUDY, content, revision),
    discard: (revision: number) => discardDraft(STUDY, revision),
    submit: submitDraft,
    fetchBase: () => Promise.resolve({ ...VERSION, annotation: server.version, ...server.current }),
    fetchVersion: () => Promise.resolve(VERSION),
  };
  const store = new IndexedDraftStore(`drafts-${database}`);
  const session = new DraftSession({ user, study: STUDY }, { ...VERSION, ...server.current }, draftServer, store, TIMING);
  open.push(session);
  await session.start();
  return session;
}

export function change(session: DraftSession, labelOf: Record<number, number>, added: Statement[] = []): void {
  const entries = Object.entries(labelOf).map(([voxel, label]) => [Number(voxel), label] as const);
  const edit: Edit = { voxels: editOf(session.view().labels, new Map(entries)), added, removed: [] };
  session.edit(edit);
}

export const labelsIn = (session: DraftSession) => session.view().labels.voxels.join("");
const isSaved = (session: DraftSession) => session.view().save === "saved" && !session.view().isDirty;
export const saved = (session: DraftSession) => until(() => isSaved(session), "it was saved");
export const keptCount = async (user = "me") => (await new IndexedDraftStore(`drafts-${database}`).leftBehind(user, STUDY)).length;
export const confirmed = (id: string, column: number): Statement => ({
  id, kind: "confirmed", anchor: [0, 0, column], lesion_class: "active", evidence: "prior", reason: "",
});

beforeEach(async () => {
  database += 1;
  server = new DraftServer();
  await server.start();
  globalThis.document = { cookie: "plaqueview_csrftoken=token" } as Document;
  globalThis.fetch = (input, init) => realFetch(new URL(String(input), server.url), init);
});

afterEach(async () => {
  server.isSignedIn = false;
  for (const session of open.splice(0)) await session.close();
  await server.stop();
  globalThis.fetch = realFetch;
});
