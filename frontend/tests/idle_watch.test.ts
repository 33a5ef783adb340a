import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { IdleWatch } from "../src/state/idle_watch";

const IDLE_S = 1800;
const heard: string[] = [];
const shown: (number | null)[] = [];
let activeAtMs = 0;
let watch: IdleWatch;

function answer(word: string) {
  heard.push(`${word} ${(Date.now() - beganMs) / 1000}`);
  if (word === "tell") activeAtMs = Date.now();
  return Promise.resolve({ idle_s: IDLE_S, seconds_left: IDLE_S - (Date.now() - activeAtMs) / 1000 });
}

let beganMs = 0;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  beganMs = activeAtMs = Date.now();
  heard.length = shown.length = 0;
  watch = new IdleWatch({ fetch: () => answer("fetch"), tell: () => answer("tell") }, (seconds) => shown.push(seconds));
  watch.start();
});

afterEach(() => {
  watch.end();
  vi.useRealTimers();
});

it("tells of a busy reader once a minute, and never warns", async () => {
  for (let second = 0; second < 180; second += 1) {
    watch.act();
    await vi.advanceTimersByTimeAsync(1000);
  }

  expect(heard).toEqual(["fetch 0", "tell 0", "tell 60", "tell 120"]);
  expect(shown).toEqual([]);
});

it("asks nothing of an idle reader until five minutes before the end, and then counts down", async () => {
  await vi.advanceTimersByTimeAsync(1499_000);
  expect(heard).toEqual(["fetch 0"]);

  await vi.advanceTimersByTimeAsync(31_000);

  expect(shown).toEqual([300, 285, 270]);
});

it("takes the warning back at the first sign of life", async () => {
  await vi.advanceTimersByTimeAsync(1500_000);
  watch.act();
  await vi.advanceTimersByTimeAsync(0);

  expect(shown).toEqual([300, null]);
  expect(heard.at(-1)).toBe("tell 1500");
});

it("takes the warning back when another tab was in use", async () => {
  await vi.advanceTimersByTimeAsync(1500_000);
  activeAtMs = Date.now();
  await vi.advanceTimersByTimeAsync(15_000);

  expect(shown).toEqual([300, null]);
});
