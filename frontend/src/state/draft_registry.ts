import { discardDraft, fetchDraft, saveDraft, submitDraft } from "../server/drafts";
import type { Statement } from "../server/review";
import type { Annotation } from "../server/types";
import { point3 } from "../geometry/affine";
import { DraftSession } from "./draft_session";
import { holdName, IndexedDraftStore, type DraftStore } from "./draft_store";
import type { Base, DraftServer } from "./draft_view";
import { feed } from "./live";
import { annotationQuery, maskQuery, noticed, queryClient, studyQuery } from "./queries";

interface Held {
  readonly session: DraftSession;
  holders: number;
  end(): void;
}

/** One session for each study that is on the screen, however often the page is drawn anew. */
const sessions = new Map<string, Held>();
let store: DraftStore | null = null;

/** The session of a study that is on the screen. */
export function sessionOf(user: string | null, study: string): DraftSession | null {
  return sessions.get(keyOf(user, study))?.session ?? null;
}

/** Hears of every change of a study's session, which begins with its first listener and ends after its last has left. */
export function watchSession(user: string, study: string, base: Base, listener: () => void): () => void {
  const key = keyOf(user, study);
  const held = sessions.get(key) ?? begin(user, study, base);
  sessions.set(key, held);
  held.holders += 1;
  const unsubscribe = held.session.subscribe(listener);
  return () => {
    unsubscribe();
    held.holders -= 1;
    // The page may be drawn anew at once, and then goes on with the same session.
    setTimeout(() => {
      if (held.holders > 0 || sessions.get(key) !== held) return;
      sessions.delete(key);
      held.end();
    });
  };
}

function keyOf(user: string | null, study: string): string {
  return `${user} ${study}`;
}

function begin(user: string, study: string, base: Base): Held {
  store ??= new IndexedDraftStore();
  const session = new DraftSession({ user, study }, base, serverOf(study), store);
  const releaseName = holdName(session.name);
  const started = session.start();
  const unsubscribe = feed.subscribe({ topic: "study", study }, (event) => {
    if (event.type === "draft.changed") session.heard(event.revision);
    if (event.type === "caught_up") void started.then(() => session.retryNow());
  });
  const end = () => {
    unsubscribe();
    void session.close().finally(releaseName);
  };
  return { session, holders: 0, end };
}

function serverOf(study: string): DraftServer {
  return {
    fetch: () => noticed(fetchDraft(study)),
    save: (content, revision) => noticed(saveDraft(study, content, revision)),
    discard: (revision) => noticed(discardDraft(study, revision)),
    submit: (draft, revision, comment) => noticed(submitDraft(draft, revision, comment)),
    fetchBase: () => fetchBase(study),
    fetchVersion,
  };
}

/** The study's current version, asked for anew. Throws when the study has none. */
async function fetchBase(study: string): Promise<Base> {
  const { annotation } = await queryClient.fetchQuery({ ...studyQuery(study), staleTime: 0 });
  if (!annotation) throw new Error("The study has no version yet that a draft could grow from.");
  return fetchVersion(annotation.id);
}

/** A version with its mask. */
export async function fetchVersion(id: string): Promise<Base> {
  const [detail, labels] = await Promise.all([queryClient.fetchQuery(annotationQuery(id)), queryClient.fetchQuery(maskQuery(id))]);
  return { annotation: id, series: detail.series, labels, statements: statementsOf(detail) };
}

export function statementsOf({ statements }: Pick<Annotation, "statements">): readonly Statement[] {
  return statements.map(({ anchor, evidence, ...said }) => ({ ...said, evidence: evidence ?? null, anchor: point3(anchor) }));
}
