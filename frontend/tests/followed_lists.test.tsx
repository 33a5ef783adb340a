// @vitest-environment happy-dom
import { answers, putAway, show, until } from "./shown";

import { act } from "react";
import { Route, Routes } from "react-router";
import { afterEach, expect, it } from "vitest";

import { RegistrationJobs, ShadowJobs } from "../src/components/other_jobs";
import { EvaluationJobs, TrainingJobs } from "../src/components/training_jobs";
import { RunPage } from "../src/pages/run_page";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

afterEach(() => putAway(queryClient));

const me = { actions: [] } as unknown as Me;
const run = {
  id: "r", state: "running", stage: "learning", reason: "", warnings: [], step: 0, recipe: { steps: 400 }, best_dice: null, seconds_per_step: null,
  seconds_left: null, resources: null, processes: 1, device: "", model: null, requested_by: "ana", created: "2026-01-01T00:00:00Z", attempts: 1,
};
const job = { id: "j", study: "s", state: "running", reason: "", warnings: [], created: "2026-01-01T00:00:00Z", seconds: null, requested_by: "ana" };

it.each([
  ["registrations", <RegistrationJobs key="1" me={me} />, "/", { "/api/v1/registrations": { results: [job] } }],
  ["readings in shadow", <ShadowJobs key="2" />, "/", { "/api/v1/models": { results: [{ id: "m", stage: "shadow" }] }, "/api/v1/models/m/shadow/readings": { results: [job] } }],
  ["runs", <TrainingJobs key="3" />, "/", { "/api/v1/runs": { results: [run] } }],
  ["evaluations", <EvaluationJobs key="4" />, "/", { "/api/v1/evaluations": { results: [job] } }],
  ["a run", <Routes key="5"><Route path="/training/runs/:id" element={<RunPage />} /></Routes>, "/training/runs/r", {
    "/api/v1/runs/r": run, "/api/v1/runs/r/points": { results: [], next: null }, "/api/v1/runs/r/log.txt": new Response("began"),
  }],
] as const)("what was known of %s stays on the page when it does not come anew, which is told", async (_, page, path, found) => {
  for (const [of, answer] of Object.entries(found)) answers.set(`GET ${of}`, answer);
  await show(page, queryClient, path);
  await until(() => document.body.textContent?.includes("running") === true, "the list was shown");

  for (const of of Object.keys(found)) answers.set(`GET ${of}`, () => Response.json({}, { status: 409 }));
  await act(() => queryClient.refetchQueries());
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was told");

  expect(document.body.textContent).toContain("running");
});
