import { LABEL_OF_CLASS, type LabelVolume, type LesionClass } from "../labels";
import { classOf, positionOf, type Shape, type Spacing } from "./grid";
import { labelling, type VoxelEdit } from "./voxel_edit";

/**
 * Two lesions become one: the nearest two of their voxels are joined by a straight bridge, and all of it takes one class,
 * by default the one that most of their voxels have.
 */
export function join(
  labels: LabelVolume, spacing: Spacing, [first, second]: readonly [ArrayLike<number>, ArrayLike<number>], chosen?: LesionClass,
): VoxelEdit {
  const both = [...Array.from(first), ...Array.from(second)];
  const { from, to } = nearestPair(labels.shape, spacing, first, second);
  return labelling(labels, [...both, ...bridge(labels.shape, from, to)], LABEL_OF_CLASS[chosen ?? classOf(labels, both)]);
}

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly distanceMm: number;
}

/** The voxel of each lesion that is nearest to the other, in mm. */
export function nearestPair(shape: Shape, spacing: Spacing, first: ArrayLike<number>, second: ArrayLike<number>): Pair {
  const [starts, ends] = [surfaceOf(shape, first), surfaceOf(shape, second)];
  let [from, to, least] = [starts[0] ?? 0, ends[0] ?? 0, Infinity];
  const places = ends.map((index) => ({ index, position: positionOf(shape, index) }));
  for (const start of starts) {
    const [z, y, x] = positionOf(shape, start);
    for (const { index, position } of places) {
      const distance = ((position[0] - z) * spacing[0]) ** 2 + ((position[1] - y) * spacing[1]) ** 2 + ((position[2] - x) * spacing[2]) ** 2;
      if (distance < least) [from, to, least] = [start, index, distance];
    }
  }
  return { from, to, distanceMm: Math.sqrt(least) };
}

/** Voxels with at least one neighbour along a row, a column or the slices that is not of the lesion. */
function surfaceOf([, rows, columns]: Shape, lesion: ArrayLike<number>): number[] {
  const all = Array.from(lesion);
  const isLesion = new Set(all);
  const steps = [1, -1, columns, -columns, rows * columns, -rows * columns];
  return all.filter((index) => steps.some((step) => !isLesion.has(index + step)));
}

/** Voxels on the straight way between two, each touching the next. */
function bridge(shape: Shape, from: number, to: number): number[] {
  const [start, end] = [positionOf(shape, from), positionOf(shape, to)];
  const steps = Math.max(...start.map((value, axis) => Math.abs((end[axis] ?? 0) - value)));
  return Array.from({ length: steps + 1 }, (_, step) => {
    const [z = 0, y = 0, x = 0] = start.map((value, axis) => Math.round(value + (((end[axis] ?? 0) - value) * step) / Math.max(1, steps)));
    return (z * shape[1] + y) * shape[2] + x;
  });
}
