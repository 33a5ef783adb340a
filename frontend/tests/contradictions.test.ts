import { expect, it } from "vitest";

import type { Draft } from "../src/server/drafts";
import type { Statement } from "../src/server/review";
import { standingContradictions } from "../src/state/contradictions";

const said = (id: string): Statement => ({ id, kind: "added", anchor: [1, 2, 3], lesion_class: "active", evidence: null, reason: "" });

const DRAFT = { contradictions: [{ statement: "gone", detail: "no lesion there" }, { statement: "small", detail: "too small" }] } as unknown as Draft;

it("names each statement that the server found contradicted, while it still stands", () => {
  expect(standingContradictions(DRAFT, [said("fine"), said("small")])).toEqual([{ statement: said("small"), detail: "too small" }]);
});

it("has none before the first save", () => {
  expect(standingContradictions(null, [said("small")])).toEqual([]);
});
