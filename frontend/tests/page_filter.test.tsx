// @vitest-environment happy-dom
import { address, answers, asked, field, fill, press, putAway, show, until } from "./shown";

import { act, type ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { CohortPage } from "../src/pages/cohort_page";
import { DoubleReadingsPage } from "../src/pages/double_readings_page";
import { JobsPage } from "../src/pages/jobs_page";
import { TransfersPage } from "../src/pages/transfers_page";
import { WebhooksPage } from "../src/pages/webhooks_page";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

const me = { actions: ["node.read", "training.manage"], sites: [{ id: "n", name: "North" }] } as unknown as Me;
const scanner = (manufacturer: string, scanner_model: string) => ({ site: "North", manufacturer, scanner_model, studies: 1, patients: 1, spreads: [] });

beforeEach(() => {
  answers.set("GET /api/v1/transfers", { count: 120, results: [] });
  answers.set("GET /api/v1/nodes", { results: [{ id: "one", name: "PACS" }] });
  answers.set("GET /api/v1/jobs", { count: 120, results: [] });
  answers.set("GET /api/v1/runs", { results: [] });
  answers.set("GET /api/v1/webhooks", { results: [{ id: "w", name: "Engine", events: [] }] });
  answers.set("GET /api/v1/deliveries", { count: 120, results: [] });
  answers.set("GET /api/v1/cohort", {
    studies: 0, patients: 0, imported: 0, active_count: 0, unconfirmed_active_count: 0, rules: [], spreads: [], as_of: "2026-01-01T00:00:00Z",
    parts: [scanner("GE", "Signa"), scanner("", "")],
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await putAway(queryClient);
});

async function choose(label: string): Promise<void> {
  const radio = [...document.querySelectorAll<HTMLInputElement>("input[type=radio]")].find(({ id }) => document.querySelector(`label[for="${id}"]`)?.textContent === label);
  await act(async () => radio?.click());
}

/** The page as it comes back: the same address, and nothing else kept. */
async function reload(page: ReactNode): Promise<void> {
  const at = address();
  const kept = new Map(answers);
  await putAway(queryClient);
  kept.forEach((answer, path) => answers.set(path, answer));
  await show(page, queryClient, at);
}

const asks = (words: string) => () => asked.some((one) => one.includes(words));

it("transfers are filtered by the address", async () => {
  await show(<TransfersPage me={me} />, queryClient, "/transfers?page=2");
  await until(asks("page=2"), "the second page was asked for");

  await choose("Sent");
  await until(() => document.querySelectorAll("option").length === 2, "the node was listed");
  await fill("Node of the transfers listed", "one");
  expect(address()).toBe("/transfers?state=sent&node=one");

  await reload(<TransfersPage me={me} />);
  await until(asks("GET /api/v1/transfers?page=1&page_size=50&state=sent&node=one"), "the same transfers were asked for");
});

it("messages are filtered by the address", async () => {
  await show(<WebhooksPage me={me} />, queryClient, "/webhooks");
  await until(() => document.querySelector("option") !== null, "the webhook was listed");

  await choose("Delivered");
  await fill("Webhook of the messages listed", "w");
  await reload(<WebhooksPage me={me} />);

  await until(asks("page=1&page_size=50&state=delivered&webhook=w"), "the same messages were asked for");
});

it("jobs are filtered by the address, which asks for no kind or state that there is not", async () => {
  await show(<JobsPage me={me} />, queryClient, "/jobs?kind=shadow&state=odd");
  await until(asks("GET /api/v1/jobs?page=1&page_size=50"), "inferences were asked for");

  await choose("Failed");
  await press("2");
  expect(address()).toBe("/jobs?kind=shadow&state=failed&page=2");
  await choose("Training");
  expect(address()).toBe("/jobs?kind=training");

  await reload(<JobsPage me={me} />);
  await until(asks("GET /api/v1/runs"), "runs were asked for");
  expect(asked.some((one) => one.startsWith("GET /api/v1/jobs"))).toBe(false);
});

it("a cohort is chosen by the address, also of a scanner without a name", async () => {
  await show(<CohortPage me={me} />, queryClient, "/cohort?site=none");
  await until(() => field<HTMLSelectElement>("Scanner").options.length === 3, "the scanners were listed");
  expect(asked.every((one) => one === "GET /api/v1/cohort")).toBe(true);

  await fill("Scanner", "1");
  await fill("Studies from", "2026-01-02");
  await reload(<CohortPage me={me} />);

  await until(asks("GET /api/v1/cohort?manufacturer=&scanner_model=&since=2026-01-02"), "the same studies were asked for");
  const chosen = field<HTMLSelectElement>("Scanner");
  expect([chosen.selectedOptions[0]?.text, field("Studies from").value]).toEqual(["Scanner not named", "2026-01-02"]);
});

it("double readings beyond the first page are reached by the address too", async () => {
  const reading = (study: string) => ({ id: study, study, state: "reading", adjudicator: "eve", readings: [], agreement: null });
  answers.set("GET /api/v1/double-readings", ({ url }: Request) => ({ count: 51, results: [reading(url.includes("page=2") ? "last" : "first")] }));
  await show(<DoubleReadingsPage me={me} />, queryClient, "/double-readings");
  await until(() => document.querySelector("a[href='/studies/first']") !== null, "the first page was shown");

  await press("2");
  await reload(<DoubleReadingsPage me={me} />);

  expect(address()).toBe("/double-readings?page=2");
  await until(() => document.querySelector("a[href='/studies/last']") !== null, "the last one was shown");
});

it("an address of a page, a node and a webhook that are no more shows the others from the first page on", async () => {
  answers.set("GET /api/v1/transfers", ({ url }: Request) => (url.includes("page=3") ? new Response("{}", { status: 404 }) : { count: 50, results: [] }));

  await show(<TransfersPage me={me} />, queryClient, "/transfers?state=sent&node=gone&page=3");
  await until(asks("GET /api/v1/transfers?page=1&page_size=50&state=sent"), "the first page was asked for");
  await until(() => address() === "/transfers?state=sent&node=gone" && asked.at(-1) === "GET /api/v1/transfers?page=1&page_size=50&state=sent", "all nodes' were asked for");
  expect(document.querySelector("[role=alert]")).toBeNull();
  await putAway(queryClient);
  answers.set("GET /api/v1/webhooks", { results: [{ id: "w", name: "Engine", events: [] }] });
  answers.set("GET /api/v1/deliveries", { count: 50, results: [] });

  await show(<WebhooksPage me={me} />, queryClient, "/webhooks?webhook=gone");
  await until(asks("GET /api/v1/deliveries?page=1&page_size=50"), "messages were asked for");
  expect(asked.some((one) => one.includes("gone"))).toBe(false);
});

it.each([
  [<TransfersPage key="t" me={me} />, "GET /api/v1/transfers", 10_000],
  [<WebhooksPage key="w" me={me} />, "GET /api/v1/deliveries", 3_000],
] as const)("a list that is empty is asked for again: what is underway may not be in it (%#)", async (page, path, after) => {
  vi.useFakeTimers();
  const count = () => asked.filter((one) => one.startsWith(path)).length;
  await show(page, queryClient, "/?state=dead");
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(count()).toBe(1);

  await act(() => vi.advanceTimersByTimeAsync(after));

  expect(count()).toBe(2);
});
