/** Remote nodes: to whom approved versions are sent, and how they are reached. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components } from "./schema";

export type RemoteNode = components["schemas"]["Node"];
export type NodeKind = components["schemas"]["NodeKind"];
export type Echo = components["schemas"]["Echo"];
export type PeerProblem = components["schemas"]["PeerProblem"];
export type SentDocument = components["schemas"]["SentDocument"];
export type NewNode = components["schemas"]["NewNodeRequest"];
/** A secret that is left out stays as it is, an empty one is forgotten. */
export type NodeChange = components["schemas"]["PatchedNodeChangeRequest"];

/** A site has few nodes; those beyond one page of the largest size are left out, the last by name. */
const LARGEST_PAGE = 200;

export async function fetchNodes(): Promise<RemoteNode[]> {
  return (await bodyOf(client.GET("/api/v1/nodes", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

export function createNode(body: NewNode): Promise<RemoteNode> {
  return bodyOf(client.POST("/api/v1/nodes", { body }));
}

export function changeNode(id: string, body: NodeChange): Promise<RemoteNode> {
  return bodyOf(client.PATCH("/api/v1/nodes/{node_id}", { params: { path: { node_id: id } }, body }));
}

export async function removeNode(id: string): Promise<void> {
  const { error, response } = await client.DELETE("/api/v1/nodes/{node_id}", { params: { path: { node_id: id } } });
  if (!response.ok) throw problemOf(response.status, error);
}

/** Asks the peer whether it answers; what it said, or that it said nothing, is in `last_echo`. */
export function echoNode(id: string): Promise<RemoteNode> {
  return bodyOf(client.POST("/api/v1/nodes/{node_id}/echo", { params: { path: { node_id: id } } }));
}
