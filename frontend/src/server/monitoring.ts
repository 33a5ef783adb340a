/** What studies look like and how much readers change, by scanner and month. */
import { bodyOf, client } from "./client";
import type { components } from "./schema";

export type Monitoring = components["schemas"]["Monitoring"];
export type ScannerCourse = components["schemas"]["ScannerCourse"];
export type Course = components["schemas"]["Course"];
export type Month = components["schemas"]["Month"];

export function fetchMonitoring(): Promise<Monitoring> {
  return bodyOf(client.GET("/api/v1/monitoring"));
}
