/** A lesion class as the server names it. */
export type LesionClass = "active" | "inactive";

export const LESION_CLASSES: readonly LesionClass[] = ["active", "inactive"];

/** Voxel value of each class in a mask; 0 is background. */
export const LABEL_OF_CLASS: Readonly<Record<LesionClass, number>> = { inactive: 1, active: 2 };

/** Labels on the grid of a series: slices, rows, columns in C order, uint8. */
export interface LabelVolume {
  readonly shape: readonly [slices: number, rows: number, columns: number];
  readonly voxels: Uint8Array;
}

export function isSameShape(first: readonly number[], second: readonly number[]): boolean {
  return first.length === second.length && first.every((size, axis) => size === second[axis]);
}

/** One slice of labels, rows by columns; a view, not a copy. Empty outside the volume. */
export function sliceOf(labels: LabelVolume, sliceIndex: number): Uint8Array {
  const [slices, rows, columns] = labels.shape;
  if (sliceIndex < 0 || sliceIndex >= slices) return new Uint8Array();
  const size = rows * columns;
  return labels.voxels.subarray(sliceIndex * size, (sliceIndex + 1) * size);
}
