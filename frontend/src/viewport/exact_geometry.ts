import type { StackViewport } from "@cornerstonejs/core";

import { toWorldDirection, type Affine } from "../geometry/affine";
import { spacingOf } from "../geometry/reslice";

/** Device pixels to a CSS pixel: not 1 on a fine screen, with Windows' scaling, and where the browser zooms. */
export function deviceRatio(): number {
  return window.devicePixelRatio || 1;
}

/** Calls whenever the screen's pixels change though the page's do not: a window is taken to another screen. */
export function watchDeviceRatio(onChange: () => void, signal: AbortSignal): void {
  const query = matchMedia(`(resolution: ${deviceRatio()}dppx)`);
  const changed = () => {
    watchDeviceRatio(onChange, signal);
    onChange();
  };
  query.addEventListener("change", changed, { once: true, signal });
}

/**
 * Gives the canvas as many pixels as the screen has in its place. Cornerstone (5.14) draws slices with the 2D canvas as if there were
 * one to each CSS pixel, and finds points on them as if there were as many as the screen has.
 *
 * @returns by which factor the canvas has grown.
 */
export function fillElement({ canvas, element }: StackViewport): number {
  const before = canvas.width * canvas.height;
  canvas.width = Math.max(1, Math.round(element.clientWidth * deviceRatio()));
  canvas.height = Math.max(1, Math.round(element.clientHeight * deviceRatio()));
  return Math.sqrt((canvas.width * canvas.height) / before);
}

/** Millimetres to a CSS pixel at Cornerstone's zoom, which is device pixels to the shorter side of a voxel. */
export function mmPerPixelAt(zoom: number, affine: Affine): number {
  return (shorterSide(affine) * deviceRatio()) / zoom;
}

/** Cornerstone's zoom at which so many mm are drawn to a CSS pixel. */
export function zoomAt(mmPerPixel: number, affine: Affine): number {
  return (shorterSide(affine) * deviceRatio()) / mmPerPixel;
}

function shorterSide(affine: Affine): number {
  const [, tall, wide] = spacingOf(affine);
  return Math.min(tall, wide);
}

/**
 * Makes the viewport, and with it Cornerstone's tools, tell and take positions to a fraction of a voxel. Its 2D drawing puts the corner
 * of the first voxel where it tells the centre to be, and scales by the distance of rows though voxels are wider than tall, or the screen
 * finer than the page. For viewports of slices with this affine.
 */
export function placeExactly(viewport: StackViewport, affine: Affine): void {
  const [x, y, z] = toWorldDirection(affine, [0, 0.5, 0.5]);
  const { canvasToWorld, worldToCanvas } = viewport;
  viewport.canvasToWorld = (point) => {
    const corner = canvasToWorld(point);
    return [corner[0] - x, corner[1] - y, corner[2] - z];
  };
  viewport.worldToCanvas = (world) => worldToCanvas([world[0] + x, world[1] + y, world[2] + z]);

  const setCamera = viewport.setCamera.bind(viewport);
  viewport.setCamera = ({ parallelScale, ...camera }, ...rest) => {
    const mmPerPixel = parallelScale && (2 * parallelScale) / viewport.element.clientHeight;
    setCamera(mmPerPixel ? { scale: zoomAt(mmPerPixel, affine), ...camera } : camera, ...rest);
  };
}
