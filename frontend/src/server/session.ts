import { ask, refusalOf } from "./allauth";
import { bodyOf, client, csrfToken } from "./client";
import { problemOf } from "./problem";
import type { Me, SignIn } from "./types";

const ALREADY_SIGNED_IN = 409;

interface Flows {
  flows?: { id: string; is_pending?: boolean; types?: string[] }[];
}

/** What the account takes beside the password, as "totp", "webauthn" and "recovery_codes"; null: nothing more is asked. */
export type SecondStep = readonly string[] | null;

export function fetchMe(): Promise<Me> {
  return bodyOf(client.GET("/api/v1/me"));
}

/** What there is beside name and password. */
export function fetchSignIn(): Promise<SignIn> {
  return bodyOf(client.GET("/api/v1/sign-in"));
}

/** Somebody came from the hospital's page, and their account asks for its second factor too. */
export async function fetchSecondStep(): Promise<SecondStep> {
  return pendingIn(await ask<Flows>("auth/session"));
}

function pendingIn({ data }: { data?: Flows }): SecondStep {
  const flow = data?.flows?.find(({ id, is_pending }) => id === "mfa_authenticate" && is_pending);
  return flow ? flow.types ?? [] : null;
}

/**
 * Signs in, or says what the account asks for too; throws a ProblemError whose text a user can read.
 *
 * Whoever is still signed in in this browser is signed out first: the password was right, and whose work begins is whose it is.
 */
export async function signIn(username: string, password: string): Promise<SecondStep> {
  if (!csrfToken()) await ask("auth/session");
  if (!csrfToken()) await fetchMe().catch(() => null);
  let answer = await ask<Flows>("auth/login", "POST", { username, password });
  if (answer.status === ALREADY_SIGNED_IN) {
    await signOut();
    answer = await ask<Flows>("auth/login", "POST", { username, password });
  }
  if (answer.status === 200) return null;
  const next = pendingIn(answer);
  if (next) return next;
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

const CODE = /^\d{3} ?\d{3}$/;

/**
 * What is dangerous is open for five minutes to whoever has just given the password, or a code of the app: six digits, which are
 * too few for a password. Nothing is asked for an empty proof, after a passkey; the server judges.
 */
export async function reauthenticate(proof: string): Promise<void> {
  if (!proof) return;
  const answer = CODE.test(proof)
    ? await ask("auth/2fa/reauthenticate", "POST", { code: proof.replace(" ", "") })
    : await ask("auth/reauthenticate", "POST", { password: proof });
  if (answer.status !== 200) throw refusalOf(answer, "Not allowed", "The password is not correct, or was tried too often; wait a minute.");
}
