import createClient, { type Middleware } from "openapi-fetch";

import { problemOf, unreachable } from "./problem";
import type { paths } from "./schema";

/** Behind TLS with a prefix, by which browsers keep it to this very host. */
const CSRF_COOKIES = ["__Host-plaqueview_csrftoken=", "plaqueview_csrftoken="];
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export function csrfToken(): string {
  const cookies = document.cookie.split("; ");
  for (const name of CSRF_COOKIES) {
    const found = cookies.find((cookie) => cookie.startsWith(name));
    if (found) return decodeURIComponent(found.slice(name.length));
  }
  return "";
}

const session: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.has(request.method)) request.headers.set("X-CSRFToken", csrfToken());
    return request;
  },
  onError() {
    return unreachable();
  },
};

export const client = createClient<paths>({ credentials: "same-origin" });
client.use(session);

interface Answer<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

/** The body of an answer; throws the ProblemError of a refusal. */
export async function bodyOf<Body>(answer: Promise<Answer<Body>>): Promise<Body> {
  const { data, error, response } = await answer;
  if (data === undefined || !response.ok) throw problemOf(response.status, error, response.headers);
  return data;
}

/** The bytes at an address; throws the ProblemError of a refusal. */
export async function bytesOf(url: string, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { credentials: "same-origin", signal: signal ?? null }).catch((error: unknown) => {
    throw signal?.aborted ? error : unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null), response.headers);
  return new Uint8Array(await response.arrayBuffer());
}
