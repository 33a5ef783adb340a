/** Schedules of retraining. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components } from "./schema";

export type Schedule = components["schemas"]["Schedule"];
export type Firing = components["schemas"]["Firing"];

type WholeSchedule = components["schemas"]["WantedScheduleRequest"];

/** What is left out is as the server says. */
export type WantedSchedule = Partial<Omit<WholeSchedule, "recipe">> & { readonly recipe?: Partial<components["schemas"]["RecipeRequest"]> };

export async function fetchSchedules(): Promise<Schedule[]> {
  return (await bodyOf(client.GET("/api/v1/schedules"))).results;
}

export async function fetchFirings(schedule: string): Promise<Firing[]> {
  return (await bodyOf(client.GET("/api/v1/schedules/{schedule_id}/firings", { params: { path: { schedule_id: schedule } } }))).results;
}

export function createSchedule(wanted: WantedSchedule): Promise<Schedule> {
  return bodyOf(client.POST("/api/v1/schedules", { body: wanted as WholeSchedule }));
}

/** The schedule goes on, or rests. */
export function setActive({ id, name, cron, minimum_new_studies, window_from, window_until, rules, recipe }: Schedule, isActive: boolean): Promise<Schedule> {
  const body = { name, cron, minimum_new_studies, window_from, window_until, rules, recipe, is_active: isActive };
  return bodyOf(client.PUT("/api/v1/schedules/{schedule_id}", { params: { path: { schedule_id: id } }, body }));
}

export async function removeSchedule(id: string): Promise<void> {
  const { error, response } = await client.DELETE("/api/v1/schedules/{schedule_id}", { params: { path: { schedule_id: id } } });
  if (!response.ok) throw problemOf(response.status, error);
}
