/** One study read by two readers who see nothing of each other, and an adjudicator who sees both. */
import { bodyOf, client } from "./client";
import type { components } from "./schema";

export type DoubleReading = components["schemas"]["DoubleReading"];
export type Agreement = NonNullable<DoubleReading["agreement"]>;
export type DoubleReadingState = DoubleReading["state"];

export interface NewDoubleReading {
  readonly study: string;
  readonly readers: readonly string[];
  readonly adjudicator: string;
}

const LARGEST_PAGE = 200;

/** @param study null asks for those of every study that the reader may know of */
export async function fetchDoubleReadings(study: string | null): Promise<DoubleReading[]> {
  const query = { page_size: LARGEST_PAGE, ...(study ? { study } : {}) };
  return (await bodyOf(client.GET("/api/v1/double-readings", { params: { query } }))).results;
}

export function beginDoubleReading({ study, readers, adjudicator }: NewDoubleReading): Promise<DoubleReading> {
  return bodyOf(client.POST("/api/v1/double-readings", { body: { study, readers: [...readers], adjudicator } }));
}
