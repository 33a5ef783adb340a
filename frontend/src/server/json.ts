import { csrfToken } from "./client";
import { problemOf, unreachable } from "./problem";

const NO_CONTENT = 204;

/** The JSON at an address; null for an answer without content. Throws the ProblemError of a refusal. */
export async function jsonOf<Body>(method: "GET" | "POST" | "PUT", url: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Body> {
  const written: Record<string, string> = method === "GET" ? {} : { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  const request: RequestInit = { method, credentials: "same-origin", headers: { ...headers, ...written } };
  if (body) request.body = JSON.stringify(body);
  const response = await fetch(url, request).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null), response.headers);
  return (response.status === NO_CONTENT ? null : await response.json()) as Body;
}

/** The part of an address after "?", without what is not given. */
export function queryOf(parameters: Readonly<Record<string, string | null | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}
