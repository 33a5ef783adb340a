/** Workers, and the errands beside inference that they do. */
import { bodyOf, client } from "./client";
import type { components } from "./schema";

export type Staff = components["schemas"]["Staff"];
export type Worker = components["schemas"]["Worker"];
export type Registration = components["schemas"]["Registration"];

const LARGEST_PAGE = 200;

export function fetchWorkers(): Promise<Staff> {
  return bodyOf(client.GET("/api/v1/workers"));
}

export async function fetchRegistrations(): Promise<Registration[]> {
  return (await bodyOf(client.GET("/api/v1/registrations", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

/** One that failed or was cancelled is tried again. */
export function retryRegistration({ study, prior }: Registration): Promise<Registration> {
  return bodyOf(client.POST("/api/v1/studies/{study_id}/registrations", { params: { path: { study_id: study } }, body: { prior } }));
}

export function cancelRegistration(id: string): Promise<Registration> {
  return bodyOf(client.POST("/api/v1/registrations/{registration_id}/cancel", { params: { path: { registration_id: id } } }));
}
