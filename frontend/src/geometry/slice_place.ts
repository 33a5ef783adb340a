import { toWorld, toWorldDirection, type Affine, type Point3 } from "./affine";
import { letterOf } from "./orientation";

interface SliceGrid {
  readonly affine: Affine;
  /** Slices, rows, columns. */
  readonly shape: Point3;
}

/** Where a slice lies in the patient: the middle of its field of view along the axis that the slice crosses most squarely, "H 40.0 mm". */
export function slicePlace({ affine, shape: [, rows, columns] }: SliceGrid, sliceIndex: number): string {
  const axis = axisAcross(affine);
  const middle = toWorld(affine, [sliceIndex, (rows - 1) / 2, (columns - 1) / 2]);
  const tenths = Math.round(middle[axis] * 10);
  return `${letterOf(tenths, axis)} ${(Math.abs(tenths) / 10).toFixed(1)} mm`;
}

/** The patient axis nearest to the normal of the slices, 0 to 2: of a tilted gantry that is not where the next slice lies. */
function axisAcross(affine: Affine): 0 | 1 | 2 {
  const [x, y, z] = cross(toWorldDirection(affine, [0, 1, 0]), toWorldDirection(affine, [0, 0, 1])).map(Math.abs) as [number, number, number];
  if (z >= x && z >= y) return 2;
  return y >= x ? 1 : 0;
}

function cross([a, b, c]: Point3, [d, e, f]: Point3): Point3 {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}
