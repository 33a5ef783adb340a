import { LABEL_OF_CLASS, type LabelVolume } from "../labels";
import { boxesOf, type SliceBox } from "../lesion_extent";
import { classOf } from "./grid";
import { labelling, type VoxelEdit } from "./voxel_edit";

/**
 * Fills the background that a lesion encloses, slice by slice, with the lesion's class. Enclosed is what no path
 * through the sides of pixels joins to the outside.
 */
export function fillHoles(labels: LabelVolume, lesion: ArrayLike<number>): VoxelEdit {
  const isLesion = new Set(Array.from(lesion));
  const enclosed = [...boxesOf(isLesion, labels.shape)].flatMap(([sliceIndex, box]) => enclosedIn(labels, isLesion, sliceIndex, box));
  return labelling(labels, enclosed, LABEL_OF_CLASS[classOf(labels, lesion)]);
}

function enclosedIn(labels: LabelVolume, isLesion: ReadonlySet<number>, sliceIndex: number, box: SliceBox): number[] {
  const [, rows, columns] = labels.shape;
  const [height, width] = [box.lastRow - box.firstRow + 3, box.lastColumn - box.firstColumn + 3];
  const indexAt = (y: number, x: number) => (sliceIndex * rows + box.firstRow - 1 + y) * columns + box.firstColumn - 1 + x;
  const isInside = (y: number, x: number) => y > 0 && x > 0 && y < height - 1 && x < width - 1;
  const isWall = (y: number, x: number) => isInside(y, x) && isLesion.has(indexAt(y, x));
  const isOutside = floodFrom(height, width, isWall);
  const found: number[] = [];
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const index = indexAt(y, x);
      if (isOutside[y * width + x] === 0 && labels.voxels[index] === 0) found.push(index);
    }
  }
  return found;
}

/** 1 for every pixel of a frame that can be reached from its upper left corner through sides, or is a wall. */
function floodFrom(height: number, width: number, isWall: (y: number, x: number) => boolean): Uint8Array {
  const isReached = new Uint8Array(height * width);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) if (isWall(y, x)) isReached[y * width + x] = 1;
  const waiting = [0];
  isReached[0] = 1;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [y, x] = [Math.floor(at / width), at % width];
    for (const [nextY, nextX] of [[y - 1, x], [y + 1, x], [y, x - 1], [y, x + 1]] as const) {
      if (nextY < 0 || nextX < 0 || nextY >= height || nextX >= width || isReached[nextY * width + nextX]) continue;
      isReached[nextY * width + nextX] = 1;
      waiting.push(nextY * width + nextX);
    }
  }
  return isReached;
}
