import { ask, refusalOf, type Answer } from "./allauth";
import { ProblemError } from "./problem";

export interface Authenticator {
  readonly type: "totp" | "recovery_codes" | "webauthn";
  /** Of passkeys. */
  readonly id?: number;
  readonly name?: string;
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly unused_code_count?: number;
}

export interface Session {
  readonly id: number;
  readonly user_agent: string;
  readonly ip: string;
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly is_current: boolean;
}

/** What the phone has to know; the server forgets it with the next one. */
export interface NewFactor {
  readonly secret: string;
  readonly url: string;
}

export async function fetchAuthenticators(): Promise<Authenticator[]> {
  return dataOf(await ask<Authenticator[]>("account/authenticators"));
}

export async function fetchSessions(): Promise<Session[]> {
  return dataOf(await ask<Session[]>("auth/sessions"));
}

export async function endSessions(ids: readonly number[]): Promise<void> {
  dataOf(await ask("auth/sessions", "DELETE", { sessions: ids }));
}

export async function beginFactor(): Promise<NewFactor> {
  const { status, meta } = await ask("account/authenticators/totp");
  if (!meta?.secret || !meta.totp_url) throw new ProblemError(status, "Not possible", "There is a second factor already; reload the page.", "conflict", []);
  return { secret: meta.secret, url: meta.totp_url };
}

/** The first code shows that the phone has the secret. */
export async function confirmFactor(code: string): Promise<void> {
  dataOf(await ask("account/authenticators/totp", "POST", { code }));
}

export async function removeFactor(): Promise<void> {
  dataOf(await ask("account/authenticators/totp", "DELETE"));
}

interface RecoveryCodes {
  readonly unused_codes?: string[];
}

/** The codes that came with the factor: the server shows them once. */
export async function fetchRecoveryCodes(): Promise<string[]> {
  return dataOf(await ask<RecoveryCodes>("account/authenticators/recovery-codes")).unused_codes ?? [];
}

/** New codes; those from before open nothing any more. */
export async function renewRecoveryCodes(): Promise<string[]> {
  return dataOf(await ask<RecoveryCodes>("account/authenticators/recovery-codes", "POST")).unused_codes ?? [];
}

export async function changePassword(current: string, next: string): Promise<void> {
  dataOf(await ask("account/password/change", "POST", { current_password: current, new_password: next }));
}

/** Throws what a user can read unless the answer is 200. */
export function dataOf<Data>(answer: Answer<Data>): Data {
  const isAsking = answer.status === 401 && answer.meta?.is_authenticated;
  if (isAsking) throw new ProblemError(403, "Not allowed", "Show again that it is you: the last time was more than five minutes ago.", "reauthenticate", []);
  if (answer.status !== 200) throw refusalOf(answer, "Not changed", `The server answered with HTTP status ${answer.status}.`);
  return answer.data as Data;
}
