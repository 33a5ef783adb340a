/** Many studies read again by the champion. */
import { bodyOf, client } from "./client";
import type { components } from "./schema";

export type Rerun = components["schemas"]["Rerun"];
export type RerunPreview = components["schemas"]["RerunPreview"];
export type WantedRerun = components["schemas"]["WantedRerunRequest"];

export async function fetchReruns(): Promise<Rerun[]> {
  return (await bodyOf(client.GET("/api/v1/reruns"))).results;
}

export function previewRerun(wanted: WantedRerun): Promise<RerunPreview> {
  return bodyOf(client.POST("/api/v1/reruns/preview", { body: wanted }));
}

export function requestRerun(wanted: WantedRerun): Promise<Rerun> {
  return bodyOf(client.POST("/api/v1/reruns", { body: wanted }));
}

export function cancelRerun(id: string): Promise<Rerun> {
  return bodyOf(client.POST("/api/v1/reruns/{rerun_id}/cancel", { params: { path: { rerun_id: id } } }));
}
