import { afterEach, expect, it, vi } from "vitest";

import { fillElement, mmPerPixelAt, placeExactly, watchDeviceRatio, zoomAt } from "../src/viewport/exact_geometry";

type StackViewport = Parameters<typeof fillElement>[0];

/** Slices 3 mm apart, with voxels 1.6 mm tall and 0.8 mm wide. */
const AFFINE = [0, 0, 0.8, -50, 0, 1.6, 0, -60, 3, 0, 0, 10, 0, 0, 0, 1];

afterEach(() => vi.unstubAllGlobals());

it("a canvas has the pixels of the screen, and tells by how much it has grown", () => {
  vi.stubGlobal("window", { devicePixelRatio: 1.25 });
  const viewport = { canvas: { width: 500, height: 400 }, element: { clientWidth: 801, clientHeight: 640 } };

  expect(fillElement(viewport as unknown as StackViewport)).toBeCloseTo(2.0006, 3);
  expect(viewport.canvas).toEqual({ width: 1001, height: 800 });
});

it("sizes are told in CSS pixels, by the shorter side of a voxel", () => {
  vi.stubGlobal("window", { devicePixelRatio: 1.25 });

  expect(mmPerPixelAt(2, AFFINE)).toBe(0.5);
  expect(zoomAt(0.5, AFFINE)).toBe(2);
});

it("positions are told of the middle of a voxel, and a camera's scale is kept as asked for", () => {
  vi.stubGlobal("window", { devicePixelRatio: 1.25 });
  const setCamera = vi.fn();
  const viewport = {
    element: { clientHeight: 640 },
    canvasToWorld: ([x, y]: readonly number[]) => [x, y, 10],
    worldToCanvas: ([x, y]: readonly number[]) => [x, y],
    setCamera,
  } as unknown as StackViewport;
  placeExactly(viewport, AFFINE);

  expect(viewport.canvasToWorld([3, 5])).toEqual([2.6, 4.2, 10]);
  expect(viewport.worldToCanvas([2.6, 4.2, 10])).toEqual([3, 5]);
  viewport.setCamera({ parallelScale: 160, focalPoint: [1, 2, 3] });
  viewport.setCamera({ parallelScale: 160, scale: 4 });
  viewport.setCamera({ flipVertical: true });
  expect(setCamera.mock.calls).toEqual([[{ scale: 2, focalPoint: [1, 2, 3] }], [{ scale: 4 }], [{ flipVertical: true }]]);
});

it("a window that is taken to another screen is noticed each time, until it is looked at no more", () => {
  const queries: EventTarget[] = [];
  vi.stubGlobal("window", { devicePixelRatio: 1 });
  vi.stubGlobal("matchMedia", () => queries[queries.push(new EventTarget()) - 1]);
  const [changed, stopped] = [vi.fn(), new AbortController()];
  watchDeviceRatio(changed, stopped.signal);

  queries[0]?.dispatchEvent(new Event("change"));
  queries[0]?.dispatchEvent(new Event("change"));
  queries[1]?.dispatchEvent(new Event("change"));
  stopped.abort();
  queries[2]?.dispatchEvent(new Event("change"));

  expect([changed.mock.calls.length, queries.length]).toEqual([2, 3]);
});
