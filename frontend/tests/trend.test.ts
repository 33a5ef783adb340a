import { expect, test } from "vitest";

import { trendMaximum, trendPoints } from "../src/components/trend";

const FRAME = { left: 0, right: 100, top: 0, bottom: 50 };
const FIRST = { study: "a", date: "2023-01-01", amounts: [1, 10] };
const SECOND = { study: "b", date: "2024-01-01", amounts: [0, 5] };

test("studies stand in the order of their days, and amounts rise from zero", () => {
  expect(trendPoints([SECOND, FIRST], FRAME)).toEqual([
    { ...FIRST, x: 0, heights: [45, 0] },
    { ...SECOND, x: 100, heights: [50, 25] },
  ]);
});

test("a study between two others lies by its day, not by its number", () => {
  const between = { study: "c", date: "2023-04-02", amounts: [0, 0] };

  expect(trendPoints([FIRST, between, SECOND], FRAME)[1]?.x).toBeCloseTo((91 / 365) * 100, 9);
});

test("the only study stands in the middle", () => {
  expect(trendPoints([FIRST], FRAME)[0]?.x).toBe(50);
});

test.each([[0, 1], [0.3, 0.5], [1, 1], [3, 5], [7, 10], [13, 20], [36, 50]])("the axis of %d ends at %d", (amount, end) => {
  expect(trendMaximum([{ study: "a", date: "2023-01-01", amounts: [amount, 0] }])).toBeCloseTo(end, 9);
});
