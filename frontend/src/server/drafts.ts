/** The draft of a study, which its readers share. */
import type { CountsBySlice } from "../geometry/slice_order";
import { csrfToken } from "./client";
import { jsonOf } from "./json";
import { problemOf, ProblemError, unreachable } from "./problem";
import type { Evidence, Statement } from "./review";
import type { Annotation, ByClass, Lesion } from "./types";

/** A lesion, and what a reader's confirmation of it rests on. */
export type DraftLesion = Lesion & { readonly evidence?: Evidence | null; readonly statement?: string | null };

export interface Draft {
  readonly id: string;
  readonly study: string;
  readonly series: string;
  readonly base: string;
  readonly base_version: number;
  readonly revision: number;
  readonly is_blinded: boolean;
  readonly author: string;
  readonly modified: string;
  readonly statements: readonly Statement[];
  /** Statements that the mask does not bear out; they have to be settled before the draft can be submitted. */
  readonly contradictions: readonly { readonly statement: string; readonly detail: string }[];
  readonly lesions: readonly DraftLesion[];
  readonly counting_rule: string;
  readonly lesion_counts: ByClass;
  readonly lesion_volumes_ml: ByClass;
  readonly counts_by_slice: CountsBySlice;
}

/** What is saved: the mask in the bytes of the mask codec. */
export interface DraftContent {
  readonly base: string;
  readonly mask: Uint8Array;
  readonly statements: readonly Statement[];
}

/** A draft with its mask, both of one revision. */
export interface StoredDraft {
  readonly draft: Draft;
  readonly mask: Uint8Array;
}

export const NOT_FOUND = 404;
export const PRECONDITION_FAILED = 412;

/** Between the two requests of one draft somebody may save; so often it is asked again. */
const MOST_ATTEMPTS = 5;

/** The draft that the server holds; null when there is none. */
export async function fetchDraft(study: string): Promise<StoredDraft | null> {
  try {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- asked again when somebody saved in between
      const draft = await jsonOf<Draft>("GET", draftUrl(study));
      // oxlint-disable-next-line no-await-in-loop -- most studies have no draft, and so no mask to ask for
      const stored = await fetchDraftMask(study);
      if (stored.etag === tagOf(draft.revision)) return { draft, mask: stored.mask };
    }
  } catch (error) {
    if (error instanceof ProblemError && error.status === NOT_FOUND) return null;
    throw error;
  }
  throw problemOf(PRECONDITION_FAILED, { title: "The draft keeps changing", detail: `It was saved ${MOST_ATTEMPTS} times while it was fetched.` });
}

/**
 * The draft as the server holds it now.
 *
 * @param revision that this content follows; null makes the draft. Throws a ProblemError with status 412 when the server
 *   holds another one.
 */
export function saveDraft(study: string, { base, mask, statements }: DraftContent, revision: number | null): Promise<Draft> {
  const precondition: Record<string, string> = revision === null ? { "If-None-Match": "*" } : { "If-Match": tagOf(revision) };
  return jsonOf("PUT", draftUrl(study), { base, mask: base64Of(mask), statements: statements.map(unsigned) }, precondition);
}

export async function discardDraft(study: string, revision: number): Promise<void> {
  const headers = { "If-Match": tagOf(revision), "X-CSRFToken": csrfToken() };
  const response = await fetch(draftUrl(study), { method: "DELETE", credentials: "same-origin", headers }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
}

/** The draft becomes the next version of the study, to be approved or returned. */
export function submitDraft(draft: string, revision: number, comment: string): Promise<Annotation> {
  return jsonOf("POST", `/api/v1/annotations/${draft}/submit`, { comment }, { "If-Match": tagOf(revision) });
}

function draftUrl(study: string): string {
  return `/api/v1/studies/${study}/draft`;
}

function tagOf(revision: number): string {
  return `"${revision}"`;
}

async function fetchDraftMask(study: string): Promise<{ mask: Uint8Array; etag: string | null }> {
  const response = await fetch(`${draftUrl(study)}/mask`, { credentials: "same-origin", cache: "no-store" }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  return { mask: new Uint8Array(await response.arrayBuffer()), etag: response.headers.get("ETag") };
}

/** Who said it and when is the server's to say; it knows those that it signed before. */
function unsigned({ id, kind, anchor, lesion_class, evidence, reason }: Statement): Statement {
  return { id, kind, anchor, lesion_class, evidence, reason };
}

/** As many arguments as every browser takes in one call. */
const CHUNK_BYTES = 32_768;

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  return btoa(text);
}
