import { bodyOf, client, csrfToken } from "./client";
import { problemOf, ProblemError, unreachable } from "./problem";
import type { Me } from "./types";

const SESSION_URL = "/_allauth/browser/v1/auth/session";
const LOGIN_URL = "/_allauth/browser/v1/auth/login";

export function fetchMe(): Promise<Me> {
  return bodyOf(client.GET("/api/v1/me"));
}

/** Signs in; throws a ProblemError whose text a user can read. */
export async function signIn(username: string, password: string): Promise<void> {
  if (!csrfToken()) await send(SESSION_URL, "GET");
  if (!csrfToken()) await fetchMe().catch(() => null);
  const response = await send(LOGIN_URL, "POST", { username, password });
  if (response.ok || response.status === 409) return;
  throw refusal(response.status, await response.json().catch(() => null));
}

/** Ends the session; allauth answers 401 to say that nobody is signed in any more. */
export async function signOut(): Promise<void> {
  const response = await send(SESSION_URL, "DELETE");
  if (!response.ok && response.status !== 401) throw problemOf(response.status, null);
}

async function send(url: string, method: string, body?: object): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" };
  const content = body ? { body: JSON.stringify(body) } : {};
  return fetch(url, { method, headers, credentials: "same-origin", ...content }).catch(() => {
    throw unreachable();
  });
}

/** allauth tells errors as {"errors": [{"message", "code", "param"}]}. */
function refusal(status: number, body: { errors?: { message: string; code: string }[]; detail?: string } | null): ProblemError {
  const messages = body?.errors?.map(({ message }) => message).join(" ") ?? body?.detail;
  if (status === 429) return new ProblemError(status, "Too many attempts", messages ?? "Wait a minute, then try again.", "throttled", []);
  if (status === 403) {
    const detail = "The sign-in form expired. Reload the page and try again; cookies must be allowed.";
    return new ProblemError(status, "Sign-in refused", messages ?? detail, "csrf", []);
  }
  return new ProblemError(status, "Sign-in refused", messages ?? "The username or the password is not correct.", "credentials", []);
}
