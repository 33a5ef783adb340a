// @vitest-environment happy-dom
import { address, answers, asked, button, field, fill, press, putAway, show, until } from "./shown";

import { act } from "react";
import { Route, Routes } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import openapi from "../openapi.json";
import { detailsOf, EVENT_TEXTS, isGone, KIND_GROUPS, kindsIn, pageOf } from "../src/components/audit_words";
import { AuditPage } from "../src/pages/audit_page";
import type { AuditEvent } from "../src/server/audit";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

const me = { actions: ["audit.read"], sites: [{ id: "n", name: "North" }] } as unknown as Me;
const EVENT: AuditEvent = {
  sequence: 7, occurred_at: "2026-12-01T04:00:00Z", kind: "job.succeeded", actor_id: null, actor_name: "system", object_type: "job",
  object_id: "69d62528-3e2b-4ac9-b7fa-ae89f0142d6f", site_id: "n", details: { study: "s1", attempts: 1, annotation: null },
  previous_hash: "a".repeat(64), hash: "b".repeat(64),
};

beforeEach(() => answers.set("GET /api/v1/audit", { count: 120, results: [EVENT] }));

afterEach(() => putAway(queryClient));

const asks = (words: string) => () => asked.some((one) => one.includes(words));

async function shown(path = "/audit"): Promise<void> {
  await show(<Routes><Route path="/audit" element={<AuditPage me={me} />} /></Routes>, queryClient, path);
  await until(() => document.querySelector("[data-testid=audit-row]") !== null, "events were listed");
}

it("every kind of event has words, and is in one group", () => {
  const kinds = openapi.components.schemas.EventKind.enum;

  expect(Object.keys(EVENT_TEXTS).toSorted()).toEqual(kinds.toSorted());
  expect(new Set(Object.values(EVENT_TEXTS)).size).toBe(kinds.length);
  expect(KIND_GROUPS.flatMap((group) => group.kinds).toSorted()).toEqual(kinds.toSorted());
});

it("an event is told in words, with links to what it is about", async () => {
  await shown();

  const row = document.querySelector("[data-testid=audit-row]");
  expect(row?.textContent).toContain("An inference succeeded");
  expect(row?.textContent).toContain("Job 69d62528 of a study");
  expect(row?.querySelector("a[href='/studies/s1']")).not.toBeNull();
  expect(row?.textContent).toContain("bbbbbbbb");
  expect(document.body.textContent).not.toContain(EVENT.hash);

  await press("Details");
  const details = document.querySelector("[data-testid=audit-details]");
  expect(details?.textContent).toContain(`7, job.succeeded`);
  expect(details?.textContent).toContain("siteNorth");
  expect(details?.textContent).not.toContain("annotation");
  expect([details?.textContent?.includes(EVENT.hash), details?.textContent?.includes(EVENT.previous_hash)]).toEqual([true, true]);
  expect(details?.querySelector(`a[href='/audit?object=${EVENT.object_id}']`)).not.toBeNull();
});

it("events are filtered by the address, which asks for no kind or day that there is not", async () => {
  await shown("/audit?kind=odd,audit.read&since=yesterday&page=2");
  expect(asked).toEqual(["GET /api/v1/audit?page=2&page_size=50&kind=audit.read"]);

  await fill("Who", "ana");
  await act(async () => field("Who").form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
  expect(address()).toBe("/audit?kind=odd%2Caudit.read&since=yesterday&actor_name=ana");

  await fill("to", "2026-12-01");
  const lastMoment = encodeURIComponent(new Date("2026-12-02T00:00:00").toISOString());
  await until(asks(`page=1&page_size=50&kind=audit.read&actor_name=ana&until=${lastMoment}`), "the last day was asked for as a whole");

  await press("All events");
  await until(() => address() === "/audit" && field("Who").value === "", "everything was listed");
});

it("what is asked for before the page is drawn anew is asked for together", async () => {
  await shown("/audit?kind=audit.read");
  await fill("Who", "ana");
  const day = field("to");
  await act(async () => {
    field("Who").form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(day, "2026-12-01");
    day.dispatchEvent(new Event("input", { bubbles: true }));
  });

  expect(address()).toBe("/audit?kind=audit.read&actor_name=ana&until=2026-12-01");
});

it("kinds are chosen by group and one by one, and asked for once", async () => {
  await shown();
  const tick = async (label: string) => act(async () => field(label).click());
  await press("All kinds");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

  await tick("Webhooks");
  await tick("Tested a webhook");
  await tick("Looked at the audit");
  expect([button("8 kinds").getAttribute("aria-expanded"), field("Webhooks").indeterminate, field("Looked at the audit").checked]).toEqual(["true", true, true]);
  expect(asked.length).toBe(1);

  await act(() => vi.advanceTimersByTimeAsync(400));
  vi.useRealTimers();
  await until(() => asked.length > 1, "the chosen kinds were asked for");
  expect(asked.length).toBe(2);
  expect(kindsIn(new URLSearchParams(address().split("?")[1]).get("kind") ?? "")).toEqual([
    "webhook.created", "webhook.changed", "webhook.secret_renewed", "webhook.removed", "delivery.delivered", "delivery.dead",
    "delivery.asked_again", "audit.read",
  ]);
});

it("nothing found, and nothing that came, are told apart", async () => {
  answers.set("GET /api/v1/audit", { count: 0, results: [] });
  await show(<AuditPage me={me} />, queryClient, "/audit?object=s1");
  await until(() => document.body.textContent?.includes("No event is like this.") ?? false, "nothing was found");
  await putAway(queryClient);

  answers.set("GET /api/v1/audit", () => Response.json({ title: "Not allowed" }, { status: 403 }));
  await show(<AuditPage me={me} />, queryClient, "/audit");
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was told");
  expect(document.body.textContent).not.toContain("No event");
  answers.set("GET /api/v1/audit", { count: 1, results: [EVENT] });
  await press("Try again");
  await until(() => document.querySelector("[data-testid=audit-row]") !== null, "events were listed");
});

it("what is gone has no page, and what is empty or nested is told all the same", () => {
  expect([isGone({ kind: "patient.erased", details: {} }), isGone({ kind: "study.removed", details: { is_study_gone: false } })]).toEqual([true, false]);
  expect([pageOf("patient", "p"), pageOf("run", "r"), pageOf("model", "m"), pageOf("study", ""), pageOf("node", "n")]).toEqual([
    "/patients/p", "/training/runs/r", "/models", null, null,
  ]);
  const details = { reason: "Asked for", rows: { study: 2, series: 3 }, snapshots: ["a", "b"], is_active: false, run: "" };
  expect(detailsOf({ details, site_id: "other" }, me.sites)).toEqual([
    { term: "site", text: "other", page: null },
    { term: "reason", text: "Asked for", page: null },
    { term: "rows", text: "study 2, series 3", page: null },
    { term: "snapshots", text: "a, b", page: null },
    { term: "active", text: "no", page: null },
  ]);
});
