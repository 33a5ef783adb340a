/** Affines are 16 numbers, row-major, that take (slice, row, column) to patient coordinates (x, y, z), LPS, mm. */

export type Point3 = readonly [number, number, number];
export type Affine = readonly number[];

/** Three numbers as they come from the server. Throws a RangeError for any other count. */
export function point3(values: readonly number[]): Point3 {
  const [first, second, third] = values;
  if (values.length !== 3 || first === undefined || second === undefined || third === undefined) {
    throw new RangeError(`A point or a shape has 3 numbers, found ${values.length}.`);
  }
  return [first, second, third];
}

function row(affine: Affine, index: number, [slice, rowIndex, column]: Point3, translation: number): number {
  const at = index * 4;
  const [a = 0, b = 0, c = 0, d = 0] = affine.slice(at, at + 4);
  return a * slice + b * rowIndex + c * column + d * translation;
}

/** Patient position in mm of a voxel index; the centre of a voxel lies at whole numbers. */
export function toWorld(affine: Affine, voxel: Point3): Point3 {
  return [row(affine, 0, voxel, 1), row(affine, 1, voxel, 1), row(affine, 2, voxel, 1)];
}

/** Displacement in mm of a step in voxels. */
export function toWorldDirection(affine: Affine, step: Point3): Point3 {
  return [row(affine, 0, step, 0), row(affine, 1, step, 0), row(affine, 2, step, 0)];
}

export function length([x, y, z]: Point3): number {
  return Math.hypot(x, y, z);
}
