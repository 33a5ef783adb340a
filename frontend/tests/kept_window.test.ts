import { expect, test } from "vitest";

import { KeptWindow } from "../src/viewport/kept_window";

const FIRST = { center: 600, width: 1200 };
const DRAGGED = { center: 500, width: 900 };

test("the window is told again once for each new slice, and not for each frame", () => {
  const kept = new KeptWindow();
  kept.keep(FIRST);

  const beforeAnySlice = kept.recall();
  kept.forget();
  const frames = [kept.recall(), kept.recall(), kept.recall()];
  kept.forget();
  kept.forget();
  const nextSlices = [kept.recall(), kept.recall()];

  expect(beforeAnySlice).toBeNull();
  expect(frames).toEqual([FIRST, null, null]);
  expect(nextSlices).toEqual([FIRST, null]);
});

test("a new slice has the window that was dragged last", () => {
  const kept = new KeptWindow();
  kept.keep(FIRST);
  kept.forget();
  kept.recall();

  kept.keep(DRAGGED);
  const whileDragged = kept.recall();
  kept.forget();

  expect(whileDragged).toBeNull();
  expect(kept.recall()).toEqual(DRAGGED);
});

test("the first slice, whose window is not known yet, has none to be told", () => {
  const kept = new KeptWindow();
  kept.forget();

  expect(kept.recall()).toBeNull();
});
