import { length, toWorldDirection, type Affine, type Point3 } from "./affine";
import type { LabelVolume } from "./labels";
import type { Grid } from "./registration";

/** Which index stays the same in a plane: 0 slice, 1 row, 2 column. */
export type PlaneAxis = 0 | 1 | 2;

/** Slices thicker than this, or this many times the pixel, show steps instead of a brain when they are cut across. */
const THICKEST_SLICE_MM = 1.5;
const LARGEST_RATIO = 2;

/** Spacing in mm between slices, rows and columns. */
export function spacingOf(affine: Affine): Point3 {
  return [length(toWorldDirection(affine, [1, 0, 0])), length(toWorldDirection(affine, [0, 1, 0])), length(toWorldDirection(affine, [0, 0, 1]))];
}

/** Why a volume cannot be cut in three planes; null for a 3D acquisition. */
export function planesProblemOf({ affine, shape }: Grid): string | null {
  const [slice, row, column] = spacingOf(affine);
  const ratio = slice / Math.min(row, column);
  if (shape[0] > 2 && slice <= THICKEST_SLICE_MM && ratio <= LARGEST_RATIO) return null;
  return `Three planes need a 3D acquisition: slices at most ${THICKEST_SLICE_MM} mm apart and at most ${LARGEST_RATIO} times the pixel. `
    + `These are ${slice.toFixed(1)} mm apart, ${ratio.toFixed(1)} times the pixel.`;
}

/** What runs down and what runs across in a plane, and how a plane is turned for a reader. */
export interface Plane {
  readonly axis: PlaneAxis;
  readonly index: number;
}

/** The volume's axes that are the rows and the columns of a plane's picture. */
export function picturesAxes(axis: PlaneAxis): readonly [rows: PlaneAxis, columns: PlaneAxis] {
  if (axis === 0) return [1, 2];
  return axis === 1 ? [0, 2] : [0, 1];
}

/** One plane of a mask in C order, rows by columns of its picture, into `cut`, which is as long as the picture. */
export function cutPlane(volume: Uint8Array, shape: Point3, { axis, index }: Plane, cut: Uint8Array): Uint8Array {
  const strides: Point3 = [shape[1] * shape[2], shape[2], 1];
  const [down, across] = picturesAxes(axis);
  const [rows, columns] = [shape[down], shape[across]];
  const [rowStride, columnStride] = [strides[down], strides[across]];
  const first = index * strides[axis];
  for (let row = 0; row < rows; row += 1) {
    let from = first + row * rowStride;
    for (let to = row * columns; to < (row + 1) * columns; to += 1, from += columnStride) cut[to] = volume[from] ?? 0;
  }
  return cut;
}

/** One plane across slices that lie in memory one by one; a slice that is not there yet is 0. */
export function cutSlices(slices: readonly (ArrayLike<number> | null)[], shape: Point3, { axis, index }: Plane): Float32Array {
  const [down, across] = picturesAxes(axis);
  const cut = new Float32Array(shape[down] * shape[across]);
  const slicesCut = axis === 0 ? [slices[index] ?? null] : slices;
  const length = axis === 0 ? cut.length : shape[across];
  const first = axis === 1 ? index * shape[2] : axis === 2 ? index : 0;
  const step = axis === 2 ? shape[2] : 1;
  slicesCut.forEach((slice, line) => {
    if (!slice) return;
    for (let at = 0; at < length; at += 1) cut[line * length + at] = slice[first + at * step] ?? 0;
  });
  return cut;
}

/** Gray values 0 to 255 of a window as canvas pixels. */
export function paintGray(picture: Float32Array, lower: number, upper: number, isInverted: boolean, pixels: Uint8ClampedArray): void {
  const scale = 255 / Math.max(1e-6, upper - lower);
  for (let at = 0; at < picture.length; at += 1) {
    const gray = Math.min(255, Math.max(0, ((picture[at] ?? 0) - lower) * scale));
    const value = isInverted ? 255 - gray : gray;
    pixels[at * 4] = pixels[at * 4 + 1] = pixels[at * 4 + 2] = value;
    pixels[at * 4 + 3] = 255;
  }
}

/** The voxels of a plane, empty outside the volume, and how many columns its picture has. */
export function pictureOf({ shape, voxels }: LabelVolume, axis: PlaneAxis, index: number): [picture: Uint8Array, columns: number] {
  const [down, across] = picturesAxes(axis);
  const size = shape[down] * shape[across];
  if (index < 0 || index >= shape[axis]) return [new Uint8Array(), shape[across]];
  if (axis === 0) return [voxels.subarray(index * size, (index + 1) * size), shape[across]];
  return [cutPlane(voxels, shape, { axis, index }, new Uint8Array(size)), shape[across]];
}

/** The patient's plane that an axis of the volume stands upright on, by the name that a reader uses. */
export function planeName(affine: Affine, axis: PlaneAxis): "Sagittal" | "Coronal" | "Axial" {
  const [x, y, z] = toWorldDirection(affine, unitStep(axis)).map(Math.abs);
  if ((x ?? 0) >= (y ?? 0) && (x ?? 0) >= (z ?? 0)) return "Sagittal";
  return (y ?? 0) >= (z ?? 0) ? "Coronal" : "Axial";
}

/** How a picture is turned so that the head is up, the face up or left, and the patient's right at the left. */
export interface PictureTurn {
  readonly isTransposed: boolean;
  readonly isRowFlipped: boolean;
  readonly isColumnFlipped: boolean;
}

/** The patient side, LPS, that belongs at the top and at the left of each plane. Source: radiological convention. */
const TOP_LEFT: Readonly<Record<ReturnType<typeof planeName>, readonly [top: Point3, left: Point3]>> = {
  Axial: [[0, -1, 0], [-1, 0, 0]],
  Coronal: [[0, 0, 1], [-1, 0, 0]],
  Sagittal: [[0, 0, 1], [0, -1, 0]],
};

export function turnOf(affine: Affine, axis: PlaneAxis): PictureTurn {
  const [top, left] = TOP_LEFT[planeName(affine, axis)];
  const [down, across] = picturesAxes(axis).map((step) => toWorldDirection(affine, unitStep(step)));
  if (!down || !across) return { isTransposed: false, isRowFlipped: false, isColumnFlipped: false };
  const isTransposed = Math.abs(dot(down, left)) > Math.abs(dot(down, top)) && Math.abs(dot(across, top)) > Math.abs(dot(across, left));
  const [vertical, horizontal] = isTransposed ? [across, down] : [down, across];
  return { isTransposed, isRowFlipped: dot(vertical, top) > 0, isColumnFlipped: dot(horizontal, left) > 0 };
}

/**
 * How slices are mirrored so that a reader sees them the usual way up. Those whose rows run where columns should stay as
 * they were stored: turning them by a quarter is no mirroring.
 */
export function flipsOf(affine: Affine): { readonly flipVertical: boolean; readonly flipHorizontal: boolean } {
  const { isTransposed, isRowFlipped, isColumnFlipped } = turnOf(affine, 0);
  return { flipVertical: !isTransposed && isRowFlipped, flipHorizontal: !isTransposed && isColumnFlipped };
}

export function unitStep(axis: PlaneAxis): Point3 {
  return [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
}

function dot(first: Point3, second: Point3): number {
  return first[0] * second[0] + first[1] * second[1] + first[2] * second[2];
}

/** Where a picture lies in its pane: CSS pixels of a row and a column of the picture, and back. */
export interface Placement {
  toPane(row: number, column: number): readonly [x: number, y: number];
  toPicture(x: number, y: number): readonly [row: number, column: number];
}

/** The picture as large as the pane holds it, with millimetres of the same length both ways, turned for a reader. */
export function placePicture({ affine, shape }: Grid, axis: PlaneAxis, width: number, height: number): Placement {
  const { isTransposed, isRowFlipped, isColumnFlipped } = turnOf(affine, axis);
  const [down, across] = picturesAxes(axis);
  const [vertical, horizontal] = isTransposed ? [across, down] : [down, across];
  const spacing = spacingOf(affine);
  const [tall, wide] = [shape[vertical] * spacing[vertical], shape[horizontal] * spacing[horizontal]];
  const scale = Math.min(height / tall, width / wide);
  const [left, top] = [(width - wide * scale) / 2, (height - tall * scale) / 2];
  const along = (index: number, of: PlaneAxis, isFlipped: boolean) => (isFlipped ? shape[of] - 0.5 - index : index + 0.5) * spacing[of] * scale;
  const back = (pixels: number, of: PlaneAxis, isFlipped: boolean) => {
    const index = pixels / (spacing[of] * scale);
    return isFlipped ? shape[of] - 0.5 - index : index - 0.5;
  };
  return {
    toPane: (row, column) => {
      const [v, h] = isTransposed ? [column, row] : [row, column];
      return [left + along(h, horizontal, isColumnFlipped), top + along(v, vertical, isRowFlipped)];
    },
    toPicture: (x, y) => {
      const [v, h] = [back(y - top, vertical, isRowFlipped), back(x - left, horizontal, isColumnFlipped)];
      return isTransposed ? [h, v] : [v, h];
    },
  };
}
