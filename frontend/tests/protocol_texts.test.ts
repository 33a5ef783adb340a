import { expect, test } from "vitest";

import { cautionsOf, differingOf, protocolSummary } from "../src/components/protocol_texts";

test("a protocol is summed up by how its checks ended, the worst first", () => {
  const verdicts = ["passed", "warning", "not_known", "passed"] as const;

  expect(protocolSummary(verdicts.map((verdict) => ({ verdict })))).toBe("1 warning, 1 not known, 2 passed");
  expect(protocolSummary([{ verdict: "passed" }])).toBe("1 passed");
});

test("only what is known to differ differs", () => {
  const part = { check: "echo_time", title: "Echo time", found: "90 ms", prior: "120 ms" } as const;
  const differences = (["passed", "warning", "not_known"] as const).map((verdict) => ({ ...part, verdict }));

  expect(differingOf({ differences, rule: "", caution: "" }).map(({ verdict }) => verdict)).toEqual(["warning"]);
  expect(differingOf(null)).toEqual([]);
  expect(cautionsOf({ differences, rule: "", caution: "Not comparable." })).toEqual(["Not comparable.", "Echo time: 90 ms, then 120 ms."]);
  expect(cautionsOf({ differences: [], rule: "", caution: "" })).toEqual([]);
});
