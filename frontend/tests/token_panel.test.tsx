// @vitest-environment happy-dom
import { answers, asked, button, field, fill, press, putAway, show, until } from "./shown";

import { act } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";

import openapi from "../openapi.json";
import { TokenPanel } from "../src/components/token_panel";
import { ACTION_TEXTS, dayAfter, endOf, inOrder, LONGEST_DAYS, stateOf } from "../src/components/token_words";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

const reader = { id: "me", username: "ana", actions: ["study.read", "job.read", "token.manage"] } as unknown as Me;
const admin: Me = { ...reader, actions: [...reader.actions, "user.manage"] };
const SECRET = "pv_topsecret";
const TOKEN = {
  id: "t", user: "me", username: "ana", name: "nightly", scopes: ["study.read"], created: "2026-12-01T00:00:00Z", expires_at: "2999-01-01T00:00:00Z",
  last_used_at: null, revoked_at: null,
};
const integrator = (id: string, has_other_sites = false) => ({ id, username: id, actions: ["study.read", "dicomweb.store"], has_other_sites });

let sent: unknown[] = [];

beforeEach(() => {
  sent = [];
  answers.set("GET /api/v1/tokens", { count: 1, results: [TOKEN] });
  answers.set("GET /api/v1/users", { count: 2, results: [integrator("ris"), integrator("elsewhere", true)] });
  answers.set("GET /_allauth/browser/v1/account/authenticators", { status: 200, data: [] });
  answers.set("POST /_allauth/browser/v1/auth/reauthenticate", { status: 200, data: {} });
  answers.set("POST /api/v1/tokens", async (request: Request) => {
    sent.push(await request.json());
    return Response.json({ ...TOKEN, secret: SECRET }, { status: 201 });
  });
});

afterEach(() => putAway(queryClient));

async function opened(me: Me): Promise<void> {
  await show(<TokenPanel me={me} />, queryClient);
  await until(() => document.querySelector("[data-testid=token-row]") !== null, "the tokens were listed");
  await press("New token …");
}

function later() {
  let resolve: (answer: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const tick = async (label: string) => act(async () => field(label).click());

/** Everything that outlives the dialog. */
function kept(): string {
  const queries = queryClient.getQueryCache().getAll().map(({ state }) => state);
  const mutations = queryClient.getMutationCache().getAll().map(({ state }) => state);
  return JSON.stringify([queries, mutations, document.location.href, { ...localStorage }, { ...sessionStorage }]);
}

it("every right has words, in an order that a list keeps", () => {
  const actions = openapi.components.schemas.Action.enum;

  expect(Object.keys(ACTION_TEXTS).toSorted()).toEqual(actions.toSorted());
  expect(new Set(Object.values(ACTION_TEXTS)).size).toBe(actions.length);
  expect(inOrder(["token.manage", "study.read"])).toEqual(["study.read", "token.manage"]);
});

it("a token is made for what was chosen, its secret is shown once, and kept nowhere", async () => {
  await opened(reader);
  expect(document.querySelector("select[name=user]")).toBeNull();
  await fill("Name", " nightly ");
  await fill("Your password", "right");
  expect(button("Make the token").getAttribute("aria-disabled")).toBe("true");
  await tick("See studies");

  const before = Date.now();
  await press("Make the token");
  await until(() => document.querySelector("[data-testid=token-secret]") !== null, "the secret was shown");

  const [{ expires_at, ...asked_ }] = sent as [{ expires_at: string }];
  expect(asked_).toEqual({ user: "me", name: "nightly", scopes: ["study.read"] });
  expect(Math.round((Date.parse(expires_at) - before) / 86_400_000)).toBe(90);
  expect(document.querySelector("[data-testid=token-secret]")?.textContent).toBe(SECRET);
  expect(kept()).not.toContain(SECRET);

  await press("Done");
  expect(document.body.innerHTML).not.toContain(SECRET);
  expect(kept()).not.toContain(SECRET);
});

it("an administrator makes one for an integrator, with the whole role, to the end of a day", async () => {
  await opened(admin);
  await until(() => asked.some((one) => one === "GET /api/v1/users?role=integrator&is_active=true&page_size=200"), "integrators were asked for");
  await until(() => document.querySelectorAll("[role=dialog] select option").length === 6, "the integrator was listed");
  expect([...field<HTMLSelectElement>("Speaks for").options].map(({ text }) => text)).toEqual(["ana (you)", "ris"]);

  await fill("Speaks for", "ris");
  expect(document.body.textContent).toContain("Store by DICOMweb");
  expect(document.body.textContent).not.toContain("Manage users");
  await fill("Holds for", "day");
  const day = dayAfter(new Date(), 10);
  await fill("Last day", day);
  await tick("All that the role may");
  await fill("Name", "RIS");
  await fill("Your password", "right");
  await press("Make the token");

  await until(() => sent.length > 0, "the token was asked for");
  expect(sent).toEqual([{ user: "ris", name: "RIS", scopes: [], expires_at: endOf("day", day) }]);
});

it("nothing is made by a form that was cancelled while the password was checked", async () => {
  const { promise, resolve } = later();
  answers.set("POST /_allauth/browser/v1/auth/reauthenticate", () => promise);
  await opened(reader);
  await fill("Name", "nightly");
  await tick("All that the role may");
  await fill("Your password", "right");
  await press("Make the token");
  await press("Cancel");

  await act(async () => resolve({ status: 200, data: {} }));
  await act(() => new Promise((done) => setTimeout(done, 30)));

  expect(sent).toEqual([]);
});

it("a token that was made when its form was closed is shown all the same", async () => {
  const { promise, resolve } = later();
  answers.set("POST /api/v1/tokens", () => promise);
  await opened(reader);
  await fill("Name", "nightly");
  await tick("All that the role may");
  await fill("Your password", "right");
  await press("Make the token");
  await until(() => asked.includes("POST /api/v1/tokens"), "the token was asked for");
  await press("Cancel");

  await act(async () => resolve({ ...TOKEN, secret: SECRET }));

  await until(() => document.querySelector("[data-testid=token-secret]")?.textContent === SECRET, "the secret was shown");
});

it("what the server refuses stands at its field, and nothing is made without the proof", async () => {
  answers.set("POST /_allauth/browser/v1/auth/reauthenticate", () => Response.json({ status: 400 }, { status: 400 }));
  await opened(reader);
  await fill("Name", "nightly");
  await tick("All that the role may");
  await fill("Your password", "wrong");
  await press("Make the token");
  await until(() => document.querySelector("[role=dialog] [role=alert]") !== null, "the refusal was told");
  expect(sent).toEqual([]);
  await putAway(queryClient);

  answers.set("GET /api/v1/tokens", { count: 1, results: [TOKEN] });
  answers.set("GET /_allauth/browser/v1/account/authenticators", { status: 200, data: [] });
  answers.set("POST /_allauth/browser/v1/auth/reauthenticate", { status: 200, data: {} });
  answers.set("POST /api/v1/tokens", () => Response.json({ detail: "", errors: [{ field: "name", detail: "It is taken." }] }, { status: 422 }));
  await opened(reader);
  await fill("Name", "nightly");
  await tick("All that the role may");
  await fill("Your password", "right");
  await press("Make the token");
  await until(() => document.body.textContent?.includes("It is taken.") ?? false, "the field was told");
  expect(document.activeElement).toBe(field("Name"));
});

it("a token is revoked at the second press, and only while it is valid", async () => {
  answers.set("DELETE /api/v1/tokens/t", () => new Response(null, { status: 204 }));
  answers.set("GET /api/v1/tokens", { count: 2, results: [TOKEN, { ...TOKEN, id: "u", name: "old", revoked_at: "2026-11-01T00:00:00Z" }] });
  await show(<TokenPanel me={reader} />, queryClient);
  await until(() => document.querySelectorAll("[data-testid=token-row]").length === 2, "the tokens were listed");
  expect(document.querySelectorAll("[data-testid=revoke-token]").length).toBe(1);

  await press("Revoke …");
  expect(asked.some((one) => one.startsWith("DELETE"))).toBe(false);
  await press("Revoke this token");
  await until(() => asked.includes("DELETE /api/v1/tokens/t"), "the server was asked");
});

it("a token holds to the end of its last day, and the last that may be chosen is within its longest life", () => {
  const now = new Date(2026, 11, 1, 0, 5);

  expect(endOf("day", "2026-12-05")).toBe(new Date(2026, 11, 5, 23, 59, 59).toISOString());
  expect(endOf("30", "", now)).toBe(new Date(now.getTime() + 30 * 86_400_000).toISOString());
  expect(dayAfter(now, LONGEST_DAYS)).toBe("2027-12-01");
  expect(Date.parse(endOf("day", dayAfter(now, LONGEST_DAYS))) - now.getTime()).toBeLessThan(366 * 86_400_000);
});

it("a token's state is told by what ended it", () => {
  const now = new Date("2026-12-01T12:00:00Z");

  expect(stateOf({ revoked_at: null, expires_at: "2026-12-01T12:00:01Z" }, now)).toBe("valid");
  expect(stateOf({ revoked_at: null, expires_at: "2026-12-01T12:00:00Z" }, now)).toBe("expired");
  expect(stateOf({ revoked_at: "2026-11-01T00:00:00Z", expires_at: "2026-12-01T12:00:01Z" }, now)).toBe("revoked");
});
