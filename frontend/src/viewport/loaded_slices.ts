import { cache } from "@cornerstonejs/core";

/** The pixels of every slice in slice order; null for one that is not in memory. */
export function loadedSlices(imageIds: readonly string[]): (ArrayLike<number> | null)[] {
  return imageIds.map((imageId) => cache.getImage(imageId)?.getPixelData() ?? null);
}

/** The middle row and column of slices. */
export function middleOf([, rows = 1, columns = 1]: readonly number[]): readonly [row: number, column: number] {
  return [Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
}

/** The value of one pixel of a slice in memory. */
export function pixelAt(imageId: string, row: number, column: number): number | null {
  const image = cache.getImage(imageId);
  return image ? (image.getPixelData()[row * image.columns + column] ?? null) : null;
}
