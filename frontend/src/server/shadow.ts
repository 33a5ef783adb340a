/** Models that read along unseen by readers, and how they did. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components } from "./schema";

export type Shadow = components["schemas"]["Shadow"];
export type ShadowReading = components["schemas"]["ShadowReading"];
export type Means = components["schemas"]["Means"];

const NOT_FOUND = 404;
const LARGEST_PAGE = 200;

/** How the model does, or did the last time; null of one that never read along. */
export async function fetchShadow(model: string): Promise<Shadow | null> {
  const { data, error, response } = await client.GET("/api/v1/models/{model_id}/shadow", { params: { path: { model_id: model } } });
  if (response.status === NOT_FOUND) return null;
  if (!data) throw problemOf(response.status, error);
  return data;
}

/** The newest readings, the oldest of them first. */
export async function fetchReadings(model: string): Promise<ShadowReading[]> {
  const params = { path: { model_id: model }, query: { page_size: LARGEST_PAGE } };
  const page = await bodyOf(client.GET("/api/v1/models/{model_id}/shadow/readings", { params }));
  return page.results.toReversed();
}

export function startShadow(model: string): Promise<Shadow> {
  return bodyOf(client.POST("/api/v1/models/{model_id}/shadow", { params: { path: { model_id: model } } }));
}

export function endShadow(model: string): Promise<Shadow> {
  return bodyOf(client.DELETE("/api/v1/models/{model_id}/shadow", { params: { path: { model_id: model } } }));
}

export function cancelReading(id: string): Promise<ShadowReading> {
  return bodyOf(client.POST("/api/v1/shadow-readings/{reading_id}/cancel", { params: { path: { reading_id: id } } }));
}

/** One that failed or was cancelled, while its model still reads along. */
export function retryReading(id: string): Promise<ShadowReading> {
  return bodyOf(client.POST("/api/v1/shadow-readings/{reading_id}/retry", { params: { path: { reading_id: id } } }));
}
