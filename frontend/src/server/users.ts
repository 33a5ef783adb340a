/** The accounts of the department, for administrators; and the link by which an owner sets a password. */
import { ask, refusalOf } from "./allauth";
import { bodyOf, client, csrfToken } from "./client";
import { problemOf } from "./problem";
import type { components, paths } from "./schema";
import { reauthenticate } from "./session";

export type User = components["schemas"]["User"];
export type Role = components["schemas"]["Role"];
export type NewUser = components["schemas"]["WantedUserRequest"];
export type UserChange = components["schemas"]["PatchedUserChangeRequest"];
/** The server tells it this once. */
export type PasswordLink = components["schemas"]["PasswordLink"];
export type UserFilter = NonNullable<paths["/api/v1/users"]["get"]["parameters"]["query"]>;

const byId = (id: string) => ({ params: { path: { user_id: id } } });

export function fetchUsers(query: UserFilter) {
  return bodyOf(client.GET("/api/v1/users", { params: { query } }));
}

/** Each of the following is refused to whoever has not lately given a proof; an empty one asks for nothing. */
export async function createUser(body: NewUser, proof: string): Promise<User> {
  await reauthenticate(proof);
  return bodyOf(client.POST("/api/v1/users", { body }));
}

export async function changeUser(id: string, body: UserChange, proof: string): Promise<User> {
  await reauthenticate(proof);
  return bodyOf(client.PATCH("/api/v1/users/{user_id}", { ...byId(id), body }));
}

export async function openUser(id: string, proof: string): Promise<User> {
  await reauthenticate(proof);
  return bodyOf(client.PUT("/api/v1/users/{user_id}/opening", byId(id)));
}

export async function closeUser(id: string, proof: string): Promise<User> {
  await reauthenticate(proof);
  return bodyOf(client.DELETE("/api/v1/users/{user_id}/opening", byId(id)));
}

export async function createPasswordLink(id: string, proof: string): Promise<PasswordLink> {
  await reauthenticate(proof);
  return bodyOf(client.POST("/api/v1/users/{user_id}/password-link", byId(id)));
}

export async function endUserSessions(id: string, proof: string): Promise<void> {
  await reauthenticate(proof);
  const { error, response } = await client.DELETE("/api/v1/users/{user_id}/sessions", byId(id));
  if (!response.ok) throw problemOf(response.status, error);
}

const RESET = "auth/password/reset";

/** The user name of the account that the link's key opens; throws when it opens none. */
export async function fetchLinkOwner(key: string): Promise<string> {
  const answer = await ask<{ user: { username: string } }>(RESET, "GET", undefined, { "X-Password-Reset-Key": key });
  if (answer.status !== 200 || !answer.data) throw refusalOf(answer, "This link opens nothing", "It was used, or has ended.");
  return answer.data.user.username;
}

/** The password is this from now on, and the link has ended; 401 is how allauth says that nobody is signed in by it. */
export async function setPassword(key: string, password: string): Promise<void> {
  if (!csrfToken()) await ask("auth/session");
  const answer = await ask(RESET, "POST", { key, password });
  if (answer.status !== 200 && answer.status !== 401) throw refusalOf(answer, "Not set", "The server did not take the password.");
}
