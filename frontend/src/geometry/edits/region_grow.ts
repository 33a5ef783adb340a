import type { LabelVolume } from "../labels";
import { positionOf, type IntensitiesOf } from "./grid";
import type { IntensityRange } from "./brush";
import { labelling, type VoxelEdit } from "./voxel_edit";

/** The region that a seed would grow to is no lesion. */
export class RegionError extends Error {
  override readonly name = "RegionError";
}

interface Growth {
  readonly seed: number;
  readonly range: IntensityRange;
  readonly label: number;
  readonly intensitiesOf: IntensitiesOf;
  readonly mostVoxels: number;
}

/**
 * Labels the background around a seed that is as bright as the range, through faces of voxels in all three directions.
 * Voxels of other lesions are neither changed nor passed through.
 *
 * Throws a RegionError when the seed is not in the range, or when the region is larger than `mostVoxels`.
 */
export function grow(labels: LabelVolume, { seed, range, label, intensitiesOf, mostVoxels }: Growth): VoxelEdit {
  const [, rows, columns] = labels.shape;
  const size = rows * columns;
  const isFree = (index: number) => {
    const value = intensitiesOf(Math.floor(index / size))?.[index % size] ?? NaN;
    return labels.voxels[index] === 0 && value >= range.lowest && value <= range.highest;
  };
  if (!isFree(seed)) throw new RegionError("There is a lesion already, or nothing as bright to grow into.");
  const found = [seed];
  const isFound = new Set(found);
  for (let next = 0; next < found.length; next += 1) {
    for (const neighbour of faceNeighbours(labels.shape, found[next] ?? 0)) {
      if (isFound.has(neighbour) || !isFree(neighbour)) continue;
      isFound.add(neighbour);
      found.push(neighbour);
    }
    if (found.length > mostVoxels) throw new RegionError("The region runs out into the tissue around it; a smaller tolerance may hold it.");
  }
  return labelling(labels, found, label);
}

function faceNeighbours(shape: LabelVolume["shape"], index: number): number[] {
  const [slices, rows, columns] = shape;
  const [slice, row, column] = positionOf(shape, index);
  const found: number[] = [];
  if (slice > 0) found.push(index - rows * columns);
  if (slice < slices - 1) found.push(index + rows * columns);
  if (row > 0) found.push(index - columns);
  if (row < rows - 1) found.push(index + columns);
  if (column > 0) found.push(index - 1);
  if (column < columns - 1) found.push(index + 1);
  return found;
}
