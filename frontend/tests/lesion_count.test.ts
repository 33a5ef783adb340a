import { expect, it } from "vitest";

import { countClaimOf, countsClaimOf } from "../src/components/lesion_count";
import type { Study } from "../src/server/types";

/** A study whose newest version is by that author; null is the network. */
function studyOf(author: string | null): Pick<Study, "annotation" | "lesion_counts"> {
  return { lesion_counts: null, annotation: { author, version: 2, state: "approved" } as Study["annotation"] };
}

it("calls a count predicted until a reader's version has it", () => {
  expect(countClaimOf(studyOf(null), "active")).toBe("AI-predicted active (FLAIR only)");
  expect(countClaimOf(studyOf(null), "inactive")).toBe("AI-predicted inactive (FLAIR only)");
  expect(countClaimOf(studyOf("ana"), "active")).toBe("Active, version 2 by ana, approved");
  expect(countClaimOf(studyOf("import"), "inactive")).toBe("Inactive, version 2 by import, approved");
});

it("says what the counts of a list are", () => {
  expect(countsClaimOf([studyOf(null)])).toBe("Counts are AI-predicted, FLAIR only.");
  expect(countsClaimOf([studyOf(null), studyOf("ana")])).toBe("What no reader spoke about is AI-predicted, FLAIR only.");
});
