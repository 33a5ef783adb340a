/** Tokens for scripts: one's own, and for administrators those of their integrators. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Token = components["schemas"]["Token"];
/** With its secret, which the server tells this once. */
export type NewToken = components["schemas"]["NewToken"];
export type WantedToken = components["schemas"]["WantedTokenRequest"];
export type TokenFilter = NonNullable<paths["/api/v1/tokens"]["get"]["parameters"]["query"]>;

export function fetchTokens(query: TokenFilter) {
  return bodyOf(client.GET("/api/v1/tokens", { params: { query } }));
}

/** Refused to whoever has not lately shown that it is them. */
export function createToken(body: WantedToken): Promise<NewToken> {
  return bodyOf(client.POST("/api/v1/tokens", { body }));
}

export async function revokeToken(id: string): Promise<void> {
  const { error, response } = await client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } });
  if (!response.ok) throw problemOf(response.status, error);
}
