/** Who reads what, and what comes next. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components } from "./schema";
import type { Study } from "./types";

export type Reader = components["schemas"]["Reader"];

/** What a reader chose, kept by the server. */
export type Preferences = components["schemas"]["Preferences"];

const LARGEST_PAGE = 200;
const NO_CONTENT = 204;

export async function fetchReaders(): Promise<Reader[]> {
  return (await bodyOf(client.GET("/api/v1/readers", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

/** @param reader null releases the study */
export async function assign(study: string, reader: string | null): Promise<void> {
  await bodyOf(client.PUT("/api/v1/studies/{study_id}/assignment", { params: { path: { study_id: study } }, body: { reader } }));
}

/** The next unread study for whoever asks; null when there is none. */
export async function fetchNextUnread(after: string | null): Promise<Study | null> {
  const { data, error, response } = await client.GET("/api/v1/studies/next", { params: { query: after ? { after } : {} } });
  if (response.status === NO_CONTENT) return null;
  if (!data) throw problemOf(response.status, error);
  return data;
}

export function fetchPreferences(): Promise<Preferences> {
  return bodyOf(client.GET("/api/v1/me/preferences"));
}

export function savePreferences(preferences: Preferences): Promise<Preferences> {
  // Also for who leaves the page in the same moment.
  return bodyOf(client.PUT("/api/v1/me/preferences", { body: preferences, keepalive: true }));
}
