/** One study read by two readers who see nothing of each other, and an adjudicator who sees both. */
import { bodyOf, client } from "./client";
import type { components, paths } from "./schema";

export type DoubleReading = components["schemas"]["DoubleReading"];
export type Agreement = NonNullable<DoubleReading["agreement"]>;
export type DoubleReadingState = DoubleReading["state"];

export interface NewDoubleReading {
  readonly study: string;
  readonly readers: readonly string[];
  readonly adjudicator: string;
}

export type DoubleReadingFilter = NonNullable<paths["/api/v1/double-readings"]["get"]["parameters"]["query"]>;

/** Those that the reader may know of, the newest first. */
export function fetchDoubleReadings(query: DoubleReadingFilter) {
  return bodyOf(client.GET("/api/v1/double-readings", { params: { query } }));
}

export function beginDoubleReading({ study, readers, adjudicator }: NewDoubleReading): Promise<DoubleReading> {
  return bodyOf(client.POST("/api/v1/double-readings", { body: { study, readers: [...readers], adjudicator } }));
}
