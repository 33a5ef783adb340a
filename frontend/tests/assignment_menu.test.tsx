// @vitest-environment happy-dom
import { answers, asked, putAway, show, until } from "./shown";

import { act } from "react";
import { afterEach, expect, it } from "vitest";

import { AssignmentMenu } from "../src/components/reading_queue";
import type { Me, Study } from "../src/server/types";
import { queryClient } from "../src/state/queries";

const me = { username: "ana", actions: ["annotation.edit"] } as unknown as Me;
const ASSIGN = "PUT /api/v1/studies/s/assignment";

afterEach(() => putAway(queryClient));

const found = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const press = (id: string) => act(async () => found(id)?.click());

async function openMenu(): Promise<void> {
  await show(<AssignmentMenu study={{ id: "s", assigned_to: null } as Study} me={me} />, queryClient);
  await press("assignment");
  await until(() => found("assign-to-me") !== null, "the menu was open");
}

it("shows in the open menu why an assignment was refused, and asks for it once", async () => {
  let refuse: (answer: Response) => void = () => undefined;
  answers.set(ASSIGN, () => new Promise<Response>((resolve) => (refuse = resolve)));
  await openMenu();

  await press("assign-to-me");
  await press("assign-to-me");
  await until(() => asked.includes(ASSIGN), "the server was asked");
  refuse(Response.json({ title: "Conflict", detail: "ben reads it already." }, { status: 409 }));
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was shown");

  expect(document.querySelector("[role=menu] [role=alert]")?.textContent).toBe("ben reads it already.");
  expect(found("assignment")?.getAttribute("aria-expanded")).toBe("true");
  expect(asked.filter((one) => one === ASSIGN)).toHaveLength(1);
});

it("closes the menu once the study is assigned", async () => {
  answers.set(ASSIGN, { reader: "ana" });
  await openMenu();

  await press("assign-to-me");

  await until(() => found("assignment")?.getAttribute("aria-expanded") === "false", "the menu was closed");
});
