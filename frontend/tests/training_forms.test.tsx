// @vitest-environment happy-dom
import { answers, asked, button, fill, press, putAway, show, until } from "./shown";

import { afterEach, expect, it } from "vitest";

import { RunDialog } from "../src/components/run_dialog";
import { ScheduleForm } from "../src/components/schedule_form";
import { SchedulesPage } from "../src/pages/schedules_page";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

afterEach(() => putAway(queryClient));

const LOOK_AHEAD = {
  can_run: true, sides: {}, problems: [], warnings: [], disk_needed_bytes: 0, disk_free_bytes: 0, memory_needed_bytes: 0, memory_free_bytes: null,
  gpu_memory_needed_bytes: null, workers: [], processes: 1, estimated_minutes: null, seconds_per_step: null,
};

it.each(["1", ""])("a run is trained by the numbers that the form shows, and not at all by %j slices a step", async (typed) => {
  const sent: unknown[] = [];
  answers.set("POST /api/v1/runs/preflight", LOOK_AHEAD);
  answers.set("POST /api/v1/runs", async (request: Request) => {
    sent.push((await request.json() as { recipe: { batch_size: number } }).recipe.batch_size);
    return {};
  });
  await show(<RunDialog snapshot="s" onClose={() => undefined} />, queryClient);
  await until(() => !button("Train").hasAttribute("aria-disabled"), "the run could begin");

  await fill("Slices a step", typed);
  await press("Train");
  expect(document.body.textContent).toContain("At least 2");
  expect(sent).toEqual([]);

  await fill("Slices a step", "12");
  await until(() => !button("Train").hasAttribute("aria-disabled"), "the run could begin");
  await press("Train");
  await until(() => sent.length > 0, "the run was asked for");
  expect(sent).toEqual([12]);
});

it("a schedule is not created while one of its numbers is missing", async () => {
  await show(<ScheduleForm onDone={() => undefined} />, queryClient);

  await fill("Name", "Saturdays");
  await fill("Steps", "");
  await press("Create");

  expect(document.body.textContent).toContain("At least 1");
  expect(asked).toEqual([]);
});

it("schedules are told by the clocks of the department, which the page names", async () => {
  const at = "2026-12-05T19:00:00Z";
  const schedule = {
    id: "s", name: "Saturdays", sites: ["North"], cron: "0 8 * * 0", minimum_new_studies: 10, window_from: null, window_until: null, rules: {},
    recipe: {}, is_active: true, author: "ana", next_due_at: at, new_studies: 0, last_firing: null,
  };
  answers.set("GET /api/v1/schedules", { results: [schedule] });
  answers.set("GET /api/v1/schedules/s/firings", { results: [{ id: "f", due_at: at, state: "skipped", line: "Nothing new." }] });

  await show(<SchedulesPage me={{ actions: [], time_zone: "Pacific/Auckland" } as unknown as Me} />, queryClient);
  await until(() => document.querySelector("[data-testid=firing-row]") !== null, "its firing was listed");

  expect(document.body.textContent).toContain("All times are those of the department: Pacific/Auckland.");
  expect(document.body.textContent).toContain("next 06 Dec, 08:00");
  expect(document.querySelector("[data-testid=firing-row]")?.textContent).toBe("06 Dec, 08:00skippedNothing new.");
});

it("a schedule whose firings did not come is not told as one that was not due yet", async () => {
  const schedule = {
    id: "s", name: "Saturdays", sites: [], cron: "", minimum_new_studies: 10, window_from: null, window_until: null, rules: {}, recipe: {},
    is_active: false, author: "ana", next_due_at: null, new_studies: 0, last_firing: null,
  };
  answers.set("GET /api/v1/schedules", { results: [schedule] });

  await show(<SchedulesPage me={{ actions: [], time_zone: "UTC" } as unknown as Me} />, queryClient);
  await until(() => document.querySelector("article [role=alert]") !== null, "the refusal was told");

  expect(document.body.textContent).not.toContain("It was not due yet.");
});
