import { expect, it } from "vitest";

import { pageAfter } from "../src/state/return_page";

it.each([
  ["/studies/7?slice=3#lesion", "/studies/7?slice=3#lesion"],
  [null, "/"],
  ["", "/"],
  ["studies", "/"],
  ["https://elsewhere.example/", "/"],
  ["//", "/"],
  ["//elsewhere.example/", "/"],
  ["/\\elsewhere.example/", "/"],
  ["/\t/elsewhere.example/", "/"],
  ["javascript:alert(1)", "/"],
])("after signing in at ...?next=%s the page is %s", (next, page) => {
  expect(pageAfter(next, "https://plaqueview.example")).toBe(page);
});
