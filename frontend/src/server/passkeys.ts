/** Passkeys: made, used and removed. Source: W3C Web Authentication Level 3; docs.allauth.org, headless API. */
import { dataOf } from "./account";
import { ask, refusalOf } from "./allauth";
import { csrfToken } from "./client";
import { ProblemError } from "./problem";
import { fetchMe } from "./session";

interface Creation {
  readonly creation_options: { readonly publicKey: PublicKeyCredentialCreationOptionsJSON };
}

interface Request {
  readonly request_options: { readonly publicKey: PublicKeyCredentialRequestOptionsJSON };
}

const ADDRESS = /^[\d.]+$|:/;

/** Passkeys belong to a host's name: at a bare address, and over plain http, browsers have none. */
export function canUsePasskeys(host = window.location.hostname): boolean {
  return "PublicKeyCredential" in window && "parseCreationOptionsFromJSON" in PublicKeyCredential && !ADDRESS.test(host);
}

/** Whether recovery codes came along, which the server shows once. */
export async function addPasskey(name: string): Promise<boolean> {
  const route = "account/authenticators/webauthn";
  const { creation_options } = dataOf(await ask<Creation>(`${route}?passwordless=true`));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(creation_options.publicKey);
  const credential = await credentialOf(navigator.credentials.create({ publicKey }));
  const answer = await ask(route, "POST", { name, credential, passwordless: true });
  dataOf(answer);
  return answer.meta?.recovery_codes_generated ?? false;
}

export async function renamePasskey(id: number, name: string): Promise<void> {
  dataOf(await ask("account/authenticators/webauthn", "PUT", { id, name }));
}

export async function removePasskey(id: number): Promise<void> {
  dataOf(await ask("account/authenticators/webauthn", "DELETE", { authenticators: [id] }));
}

/** Instead of name and password. */
export async function signInByPasskey(): Promise<void> {
  if (!csrfToken()) await fetchMe().catch(() => null);
  await withPasskey("login");
}

/** After the password, as the second step. */
export async function giveSecondPasskey(): Promise<void> {
  await withPasskey("authenticate");
}

/** What is dangerous is open for five minutes then. */
export async function reauthenticateByPasskey(): Promise<void> {
  await withPasskey("reauthenticate");
}

async function withPasskey(what: "login" | "authenticate" | "reauthenticate"): Promise<void> {
  const asked = await ask<Request>(`auth/webauthn/${what}`);
  if (asked.status !== 200 || !asked.data) throw refusalOf(asked, "Not possible", "Reload the page and begin again.");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.data.request_options.publicKey);
  const credential = await credentialOf(navigator.credentials.get({ publicKey }));
  const answer = await ask(`auth/webauthn/${what}`, "POST", { credential });
  if (answer.status !== 200) throw refusalOf(answer, "Not accepted", "This passkey opens no account here.");
}

/** Browsers tell no reason when somebody turns back or has no passkey, so that no page learns which it was. */
async function credentialOf(asking: Promise<Credential | null>): Promise<ReturnType<PublicKeyCredential["toJSON"]>> {
  const credential = await asking.catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) throw new ProblemError(400, "Not used", "No passkey was used.", "no_passkey", []);
  return credential.toJSON();
}
