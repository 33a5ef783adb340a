import { ask, refusalOf } from "./allauth";
import { bodyOf, client, csrfToken } from "./client";
import { problemOf } from "./problem";
import type { Me, SignIn } from "./types";

const ALREADY_SIGNED_IN = 409;

interface Flows {
  flows?: { id: string; is_pending?: boolean }[];
}

export function fetchMe(): Promise<Me> {
  return bodyOf(client.GET("/api/v1/me"));
}

/** What there is beside name and password. */
export function fetchSignIn(): Promise<SignIn> {
  return bodyOf(client.GET("/api/v1/sign-in"));
}

/** Somebody came from the hospital's page, and their account asks for its second factor too. */
export async function isAskedForCode(): Promise<boolean> {
  return isPending(await ask<Flows>("auth/session"));
}

function isPending({ data }: { data?: Flows }): boolean {
  return data?.flows?.some(({ id, is_pending }) => id === "mfa_authenticate" && is_pending) ?? false;
}

/** Signs in, or says that the account asks for its second factor too; throws a ProblemError whose text a user can read. */
export async function signIn(username: string, password: string): Promise<"signed in" | "second factor"> {
  if (!csrfToken()) await ask("auth/session");
  if (!csrfToken()) await fetchMe().catch(() => null);
  const answer = await ask<Flows>("auth/login", "POST", { username, password });
  if (answer.status === 200 || answer.status === ALREADY_SIGNED_IN) return "signed in";
  if (isPending(answer)) return "second factor";
  if (answer.status === 403) {
    throw refusalOf(answer, "Sign-in refused", "The sign-in form expired. Reload the page and try again; cookies must be allowed.");
  }
  throw refusalOf(answer, "Sign-in refused", "The username or the password is not correct.");
}

/** The code of the authenticator app, or a recovery code, after the password. */
export async function giveCode(code: string): Promise<void> {
  const answer = await ask("auth/2fa/authenticate", "POST", { code });
  if (answer.status === 200) return;
  if (answer.status === ALREADY_SIGNED_IN) throw refusalOf(answer, "Sign-in refused", "The sign-in took too long. Reload the page and begin again.");
  throw refusalOf(answer, "Sign-in refused", "The code is not correct.");
}

/** Ends the session; allauth answers 401 to say that nobody is signed in any more. */
export async function signOut(): Promise<void> {
  const { status } = await ask("auth/session", "DELETE");
  if (status !== 200 && status !== 401) throw problemOf(status, null);
}

/** What is dangerous is open for five minutes to whoever has just given the password. */
export async function reauthenticate(password: string): Promise<void> {
  const answer = await ask("auth/reauthenticate", "POST", { password });
  if (answer.status !== 200) throw refusalOf(answer, "Not allowed", "The password is not correct, or was tried too often; wait a minute.");
}
