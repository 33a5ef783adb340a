import { bodyOf, client } from "./client";
import type { components } from "./schema";

export type Activity = components["schemas"]["Activity"];

/** How long the session lasts if nothing is done; asking does not prolong it. */
export function fetchActivity(): Promise<Activity> {
  return bodyOf(client.GET("/api/v1/me/activity"));
}

/** The reader did something, which prolongs the session. */
export function tellActivity(): Promise<Activity> {
  return bodyOf(client.POST("/api/v1/me/activity"));
}
