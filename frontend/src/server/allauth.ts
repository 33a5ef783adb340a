import { csrfToken } from "./client";
import { problemOf, ProblemError, unreachable } from "./problem";

const ROUTES = "/_allauth/browser/v1/";

/** What allauth answers. Source: docs.allauth.org, headless API specification. */
interface Body<Data> {
  status: number;
  data?: Data;
  meta?: { is_authenticated?: boolean; secret?: string; totp_url?: string; recovery_codes_generated?: boolean };
  errors?: { message: string; code: string; param?: string }[];
  detail?: string;
}

export interface Answer<Data> extends Body<Data> {
  status: number;
}

/** Asks the sign-in routes; throws when the server cannot be reached, everything else is the caller's to judge. */
export async function ask<Data = unknown>(route: string, method = "GET", body?: object, more?: Readonly<Record<string, string>>): Promise<Answer<Data>> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json", ...more };
  const content = body ? { body: JSON.stringify(body) } : {};
  const response = await fetch(ROUTES + route, { method, headers, credentials: "same-origin", ...content }).catch(() => {
    throw unreachable();
  });
  const answer = (await response.json().catch(() => ({}))) as Body<Data>;
  return { ...answer, status: response.status };
}

/** The refusal as a user can read it; `fallback` where allauth says nothing. */
export function refusalOf({ status, errors, detail }: Answer<unknown>, title: string, fallback: string): ProblemError {
  const words = errors?.map(({ message }) => message).join(" ") || detail || fallback;
  if (status === 429) return new ProblemError(status, "Too many attempts", "Wait a minute, then try again.", "throttled", []);
  if (status >= 500) return problemOf(status, null);
  return new ProblemError(status, title, words, errors?.[0]?.code ?? String(status), []);
}
