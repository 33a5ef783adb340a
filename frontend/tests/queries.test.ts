// @vitest-environment happy-dom
import { answers, asked, putAway } from "./shown";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { queryClient, readersQuery } from "../src/state/queries";

const READERS = "GET /api/v1/readers";

beforeEach(() => void vi.useFakeTimers());

afterEach(async () => {
  vi.useRealTimers();
  await putAway(queryClient);
});

async function countsAfter(...seconds: readonly number[]): Promise<number[]> {
  queryClient.fetchQuery(readersQuery).catch(() => undefined);
  const counts: number[] = [];
  for (const length of [0, ...seconds]) {
    // oxlint-disable-next-line no-await-in-loop -- time passes bit by bit
    await vi.advanceTimersByTimeAsync(1000 * length);
    counts.push(asked.length);
  }
  return counts;
}

it("what is asked for too often is asked for again when the server says, and comes", async () => {
  answers.set(READERS, () => (asked.length > 1 ? { results: [] } : Response.json({}, { status: 429, headers: { "Retry-After": "34" } })));

  expect(await countsAfter(33, 2)).toEqual([1, 1, 2]);

  expect(queryClient.getQueryData(readersQuery.queryKey)).toEqual([]);
});

it.each([[503, [1, 1, 2, 3, 3]], [429, [1, 1, 2, 3, 3]], [404, [1, 1, 1, 1, 1]]])("a %i without such a word is asked for again: %j", async (status, counts) => {
  answers.set(READERS, () => Response.json({}, { status }));

  expect(await countsAfter(0.9, 0.2, 2, 60)).toEqual(counts);
});
