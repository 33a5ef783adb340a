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

/** Voxel index (slice, row, column; fractional) at a patient position in mm. Throws a RangeError for an affine of no volume. */
export function toVoxel(affine: Affine, world: Point3): Point3 {
  return toWorld(invert(affine), world);
}

/** The matrix that goes the other way. Throws a RangeError where there is none. */
export function invert(affine: Affine): Affine {
  const [a = 0, b = 0, c = 0, x = 0, d = 0, e = 0, f = 0, y = 0, g = 0, h = 0, i = 0, z = 0] = affine;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (!Number.isFinite(1 / determinant)) throw new RangeError(`An affine needs a volume other than 0 to be inverted, found ${determinant}.`);
  const turned = [
    e * i - f * h, c * h - b * i, b * f - c * e, 0,
    f * g - d * i, a * i - c * g, c * d - a * f, 0,
    d * h - e * g, b * g - a * h, a * e - b * d, 0,
    0, 0, 0, 1,
  ].map((entry) => entry / determinant);
  const [shiftX, shiftY, shiftZ] = toWorldDirection(turned, [x, y, z]);
  return [...turned.slice(0, 3), -shiftX, ...turned.slice(4, 7), -shiftY, ...turned.slice(8, 11), -shiftZ, 0, 0, 0, 1];
}

/** The matrix that first does `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  return Array.from({ length: 16 }, (_, at) =>
    [0, 1, 2, 3].reduce((sum, step) => sum + (outer[Math.floor(at / 4) * 4 + step] ?? 0) * (inner[step * 4 + (at % 4)] ?? 0), 0),
  );
}
