// @vitest-environment happy-dom
import { answers, press, putAway, show, until } from "./shown";

import { afterEach, expect, it } from "vitest";

import { VersionTransfers } from "../src/components/version_transfers";
import type { Me } from "../src/server/types";
import { queryClient } from "../src/state/queries";

afterEach(() => putAway(queryClient));

it("a version whose transfers did not come is not offered as one that was sent nowhere", async () => {
  const me = { actions: ["transfer.send", "node.read"] } as unknown as Me;
  const menu = () => document.querySelector("[data-testid=send-menu]");
  answers.set("GET /api/v1/transfers", () => Response.json({ detail: "Not now." }, { status: 409 }));
  answers.set("GET /api/v1/nodes", { results: [] });
  await show(<VersionTransfers study="s" annotation="a" version={2} me={me} />, queryClient);
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was told");
  expect(document.querySelector("[role=alert]")?.textContent).toContain("Where it was sent could not be fetched: Not now.");
  expect(menu()).toBeNull();

  answers.set("GET /api/v1/transfers", { count: 1, results: [{ id: "t", annotation: "a", node: "n", node_name: "PACS", state: "dead", answer: "" }] });
  await press("Try again");
  await until(() => menu() !== null, "it could be sent");

  expect(document.querySelector("li")?.textContent).toBe("PACSGiven up");
  expect(document.querySelector("[role=alert]")).toBeNull();
});
