import { cache, Enums, imageLoader } from "@cornerstonejs/core";

import { flipsOf, paintGray } from "../geometry/reslice";
import { middleSlice } from "../geometry/slice_order";
import { rangeOf } from "../geometry/windowing";
import type { DicomJson } from "../server/pixel_format";
import type { SliceStack } from "../server/types";
import { imageIdsOf } from "./frame_loader";

const BEHIND = { requestType: Enums.RequestType.Prefetch, priority: 10 };

/** Draws a slice as large as the canvas holds it: from memory where it is there, else fetched behind everything else. */
export async function drawThumbnail(canvas: HTMLCanvasElement, imageId: string, { window, affine }: Pick<SliceStack, "window" | "affine">): Promise<void> {
  const image = cache.getImage(imageId) ?? (await imageLoader.loadAndCacheImage(imageId, BEHIND).catch(() => null));
  const context = canvas.getContext("2d");
  if (!image || !context) return;
  const slice = new OffscreenCanvas(image.columns, image.rows);
  const pen = slice.getContext("2d");
  const pixels = pen?.createImageData(image.columns, image.rows);
  if (!pen || !pixels) return;
  const { lower, upper } = rangeOf(window);
  paintGray(Float32Array.from(image.getPixelData()), lower, upper, false, pixels.data);
  pen.putImageData(pixels, 0, 0);
  const [wide, tall] = [image.columns * image.columnPixelSpacing, image.rows * image.rowPixelSpacing];
  const scale = Math.min(canvas.width / wide, canvas.height / tall);
  const { flipHorizontal, flipVertical } = flipsOf(affine);
  context.setTransform(flipHorizontal ? -1 : 1, 0, 0, flipVertical ? -1 : 1, flipHorizontal ? canvas.width : 0, flipVertical ? canvas.height : 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(slice, (canvas.width - wide * scale) / 2, (canvas.height - tall * scale) / 2, wide * scale, tall * scale);
}

/** Draws the middle slice of a series. */
export async function drawSeries(canvas: HTMLCanvasElement, slices: SliceStack, attributes: ReadonlyMap<string, DicomJson>): Promise<void> {
  const imageId = imageIdsOf(slices, attributes)[middleSlice(slices.slices.length)];
  if (imageId) await drawThumbnail(canvas, imageId, slices);
}
