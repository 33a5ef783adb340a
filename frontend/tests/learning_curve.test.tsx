// @vitest-environment happy-dom
import { answers, asked, putAway, show } from "./shown";

import { afterEach, expect, it } from "vitest";

import { LearningCurve } from "../src/components/learning_curve";
import type { RunPoint, TrainingRun } from "../src/server/training";
import { queryClient } from "../src/state/queries";
import { pointsQuery } from "../src/state/training";

afterEach(() => putAway(queryClient));

const point = (step: number, validation_dice: number | null = null): RunPoint => ({ step, loss: 0.25, validation_dice, at: "" });

it("is drawn of a run of any length", async () => {
  const points = Array.from({ length: 200_000 }, (_, at) => point(at + 1, 0.5));

  await show(<LearningCurve points={[{ ...point(0), loss: 2 }, ...points]} steps={200_000} />, queryClient);

  expect(document.querySelector("figcaption")?.textContent).toBe("Loss 0.250 at step 200000; validation Dice 0.500, best 0.500");
  expect(document.body.textContent).toContain("loss, 0 to 2.00");
});

it.each([[400, 1], [2_000, 1], [2_001, 2], [1_000_000, 500]])("asks of %i steps for the multiples of %i, and later for those since", async (steps, every) => {
  answers.set("GET /api/v1/runs/r/points", { results: [point(1_000)], next: null });

  await queryClient.fetchQuery(pointsQuery({ id: "r", recipe: { steps } as TrainingRun["recipe"] }));
  await queryClient.fetchQuery({ ...pointsQuery({ id: "r", recipe: { steps } as TrainingRun["recipe"] }), staleTime: 0 });

  const of = (after: number) => `GET /api/v1/runs/r/points?after=${after}&every=${every}&page=1&page_size=200`;
  expect(asked).toEqual([of(0), of(1_000)]);
});
