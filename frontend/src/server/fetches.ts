/** Studies of remote nodes: searched for, and on their way here. */
import { bodyOf, client } from "./client";
import type { components, paths } from "./schema";

export type Fetch = components["schemas"]["Fetch"];
export type FetchState = components["schemas"]["FetchState"];
export type FetchFilter = NonNullable<paths["/api/v1/fetches"]["get"]["parameters"]["query"]>;
export type StudyQuery = components["schemas"]["StudyQueryRequest"];
export type RemoteStudy = components["schemas"]["RemoteStudy"];
export type RemoteStudies = components["schemas"]["RemoteStudies"];

/** Patients are named in the body: addresses end up in logs. */
export function searchNode(node: string, query: StudyQuery): Promise<RemoteStudies> {
  return bodyOf(client.POST("/api/v1/nodes/{node_id}/search", { params: { path: { node_id: node } }, body: query }));
}

export function fetchFetches(query: FetchFilter) {
  return bodyOf(client.GET("/api/v1/fetches", { params: { query } }));
}

/** Asked for again while it is on its way, it is the same fetch. */
export function requestFetch(node: string, study_instance_uid: string): Promise<Fetch> {
  return bodyOf(client.POST("/api/v1/fetches", { body: { node, study_instance_uid } }));
}

export function cancelFetch(id: string): Promise<Fetch> {
  return bodyOf(client.POST("/api/v1/fetches/{fetch_id}/cancel", { params: { path: { fetch_id: id } } }));
}

export function retryFetch(id: string): Promise<Fetch> {
  return bodyOf(client.POST("/api/v1/fetches/{fetch_id}/retry", { params: { path: { fetch_id: id } } }));
}
