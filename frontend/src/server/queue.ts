/** Who reads what, and what comes next. */
import { jsonOf, queryOf } from "./json";
import type { StudyDetail } from "./types";

export interface Reader {
  readonly username: string;
  readonly name: string;
}

export function fetchReaders(): Promise<readonly Reader[]> {
  return jsonOf("GET", "/api/v1/readers");
}

/** @param reader null releases the study */
export function assign(study: string, reader: string | null): Promise<StudyDetail> {
  return jsonOf("PUT", `/api/v1/studies/${study}/assignment`, { reader });
}

/** The next unread study for whoever asks; null when there is none. */
export async function fetchNextUnread(after: string | null): Promise<{ readonly id: string } | null> {
  return jsonOf("GET", `/api/v1/studies/next${queryOf({ after })}`);
}

/** What a reader chose, kept by the server. */
export interface Preferences {
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

export function fetchPreferences(): Promise<Preferences> {
  return jsonOf("GET", "/api/v1/me/preferences");
}

export function savePreferences(preferences: Preferences): Promise<Preferences> {
  return jsonOf("PUT", "/api/v1/me/preferences", preferences);
}
