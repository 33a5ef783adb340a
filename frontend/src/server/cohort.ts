/** The approved studies of a department in numbers. */
import { bodyOf, client } from "./client";
import type { components, paths } from "./schema";

export type Cohort = components["schemas"]["Cohort"];
export type CohortPart = components["schemas"]["CohortPart"];
export type Spread = components["schemas"]["Spread"];
export type CohortQuery = NonNullable<paths["/api/v1/cohort"]["get"]["parameters"]["query"]>;

export function fetchCohort(query: CohortQuery): Promise<Cohort> {
  return bodyOf(client.GET("/api/v1/cohort", { params: { query } }));
}

/** The same studies as a list without names. */
export function cohortCsvUrl(query: CohortQuery): string {
  const words = new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  return words.size ? `/api/v1/cohort.csv?${words}` : "/api/v1/cohort.csv";
}
