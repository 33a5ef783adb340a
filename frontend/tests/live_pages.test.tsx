// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { hashKey, QueryClientProvider } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket as NodeSocket } from "ws";

import { DoubleReadingsPage } from "../src/pages/double_readings_page";
import { PatientPage } from "../src/pages/patient_page";
import type { FeedEvent } from "../src/server/feed";
import type { Me, SameSlices, Visit } from "../src/server/types";
import { feed } from "../src/state/live";
import { staleOfPatient } from "../src/state/live_pages";
import { queryClient, sameSlicesQuery } from "../src/state/queries";
import { FeedServer } from "./feed_server";

/** The client keeps the fetch that it finds when it is made. */
const { answers, asked } = vi.hoisted(() => {
  const found = { answers: new Map<string, unknown>(), asked: [] as string[] };
  globalThis.fetch = async (request) => {
    const { pathname } = new URL((request as Request).url);
    found.asked.push(pathname);
    return Response.json(found.answers.get(pathname) ?? {}, { status: found.answers.has(pathname) ? 200 : 404 });
  };
  return found;
});

describe("an event makes stale of a patient's page", () => {
  const page = { id: "p", studies: ["mine"] };
  const of = (study: string, type: string) => ({ type, study }) as FeedEvent;

  it.each([
    [{ type: "caught_up" } as const, { queryKey: ["patient", "p"] }],
    [of("mine", "annotation.changed"), { queryKey: ["patient", "p"] }],
    [of("mine", "registration.changed"), { queryKey: ["patient", "p"] }],
    [of("mine", "job.progress"), { queryKey: ["patient", "p"], exact: true }],
    [of("new", "study.changed"), { queryKey: ["patient", "p"], exact: true }],
    [of("other", "annotation.changed"), null],
    [of("other", "job.progress"), null],
    [of("mine", "draft.changed"), null],
    [of("mine", "presence.changed"), null],
  ])("by %j: %j", (event, stale) => {
    expect(staleOfPatient(page, event)).toEqual(stale);
  });
});

it("draws a patient's planes anew for another version or registration, and shows those of no other patient meanwhile", () => {
  const visit = (annotation: string, prior: string | null) => ({ annotation, changes: prior === null ? null : { prior_annotation: prior } as Visit["changes"] });
  const keyOf = (...visits: ReturnType<typeof visit>[]) => hashKey(sameSlicesQuery("p", visits).queryKey);
  const { queryKey, placeholderData } = sameSlicesQuery("p", [visit("a", null)]);
  const before = { slices: [], notice: "" } as unknown as SameSlices;
  const meanwhile = (patient: string) => (placeholderData as (data: SameSlices, query: object) => SameSlices | undefined)(before, { queryKey: ["same-slices", patient, []] });

  expect(keyOf(visit("a", null))).toBe(hashKey(queryKey));
  expect(new Set([keyOf(visit("a", null)), keyOf(visit("b", null)), keyOf(visit("a", "c"))]).size).toBe(3);
  expect(meanwhile("p")).toBe(before);
  expect(meanwhile("q")).toBeUndefined();
});

describe("a page", () => {
  let server: FeedServer;
  let root: Root;

  beforeEach(async () => {
    vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
    vi.stubGlobal("WebSocket", NodeSocket);
    answers.clear();
    asked.length = 0;
    server = new FeedServer();
    await server.start();
    document.body.innerHTML = "<div></div>";
    root = createRoot(document.body.firstElementChild as HTMLElement);
  });

  afterEach(async () => {
    act(() => root.unmount());
    feed.close();
    queryClient.clear();
    await server.stop();
    vi.unstubAllGlobals();
  });

  async function show(page: ReactNode, path: string): Promise<void> {
    await act(async () => root.render(
      <QueryClientProvider client={queryClient}>
        <MantineProvider>
          <MemoryRouter initialEntries={[path]}><Routes><Route path="/patients/:id" element={page} /><Route path="*" element={page} /></Routes></MemoryRouter>
        </MantineProvider>
      </QueryClientProvider>,
    ));
    feed.connect(server.url);
  }

  async function until(isTrue: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!isTrue()) {
      if (Date.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}; the page says ${document.body.textContent}`);
      await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
    }
  }

  const patientOf = (state: string, hold: string) => ({
    id: "p", name: "Doe^Jane", patient_id: "1", issuer_of_patient_id: "", birth_date: null, sex: "F", site: { id: "s", name: "North" },
    hold_reason: hold, counting_rule: "",
    studies: [{ id: "mine", study_date: "2026-01-02", study_description: "", state, annotation: null, job: null, lesion_counts: null, lesion_volumes_ml: null }],
  });

  const PATIENT = "/api/v1/patients/p";
  const stateShown = () => document.querySelector("[data-testid='study-state']")?.textContent;

  it("of a patient shows what became of a study, and no more often asks for it than its events say", async () => {
    answers.set(PATIENT, patientOf("running", ""));
    answers.set(`${PATIENT}/timeline`, { patient: "p", visits: [] });
    await show(<PatientPage me={{ actions: [] } as unknown as Me} />, "/patients/p");
    await until(() => stateShown() === "Running" && asked.length === 4, "the page was caught up");

    server.announce({ type: "annotation.changed", study: "other", annotation: "b", version: 1 });
    answers.set(PATIENT, patientOf("ready", "A lawsuit"));
    server.announce({ type: "study.changed", study: "mine", state: "ready" });
    server.announce({ type: "annotation.changed", study: "mine", annotation: "a", version: 1 });
    await until(() => stateShown() === "Ready", "the study was ready");

    expect(document.body.textContent).toContain("A lawsuit");
    expect(asked.filter((path) => path === PATIENT)).toHaveLength(3);
  });

  it("of double readings shows what was decided after the connection was lost", async () => {
    const reading = { id: "r", study: "s", state: "reading", adjudicator: "eve", readings: [], agreement: null };
    answers.set("/api/v1/double-readings", { results: [reading] });
    await show(<DoubleReadingsPage me={{ actions: [], username: "ana" } as unknown as Me} />, "/double-readings");
    await until(() => document.querySelector("[data-state='reading']") !== null, "the page was shown");

    await server.stop();
    answers.set("/api/v1/double-readings", { results: [{ ...reading, state: "done" }] });
    await server.start();

    await until(() => document.querySelector("[data-state='done']") !== null, "the decision was shown");
  });
});
