import { describe, expect, it } from "vitest";

import { toVoxel, toWorld, type Affine, type Point3 } from "../src/geometry/affine";
import { carryVoxels, paintExtents } from "../src/geometry/extents";
import { countsBySize, sizeOf } from "../src/geometry/lesion_size";
import { inPlaneAxisMm, longestAxis } from "../src/geometry/longest_axis";
import { heatColors, paintHeat } from "../src/geometry/probability";
import type { Grid } from "../src/geometry/registration";
import {
  cutPlane, cutSlices, flipsOf, paintGray, pictureOf, placePicture, planeName, planesProblemOf, turnOf, type PlaneAxis,
} from "../src/geometry/reslice";

/** Axial: slices towards the head, rows to the back, columns to the left. */
const axial = ([slice, row, column]: Point3): Affine => [0, 0, column, 0, 0, row, 0, 0, slice, 0, 0, 0, 0, 0, 0, 1];

/** Sagittal, as a 3D FLAIR is taken: slices to the left, rows to the feet, columns to the back. */
const SAGITTAL: Affine = [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 100, 0, 0, 0, 1];

const SHAPE: Point3 = [2, 3, 4];
const VOXELS = Uint8Array.from({ length: 24 }, (_, at) => at);
const SLICES = [VOXELS.subarray(0, 12), VOXELS.subarray(12)];

describe("a plane of a volume", () => {
  it.each([
    [{ axis: 0, index: 1 }, [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    [{ axis: 1, index: 2 }, [8, 9, 10, 11, 20, 21, 22, 23]],
    [{ axis: 2, index: 3 }, [3, 7, 11, 15, 19, 23]],
  ] as const)("%j is cut from a mask and from slices alike", (plane, wanted) => {
    expect([...cutPlane(VOXELS, SHAPE, plane, new Uint8Array(wanted.length))]).toEqual(wanted);
    expect([...cutSlices(SLICES, SHAPE, plane)]).toEqual(wanted);
    expect([...pictureOf({ shape: SHAPE, voxels: VOXELS }, plane.axis, plane.index)[0]]).toEqual(wanted);
  });

  it("is black where a slice is not here yet, and empty outside the mask", () => {
    expect([...cutSlices([null, SLICES[1] ?? null], SHAPE, { axis: 1, index: 0 })]).toEqual([0, 0, 0, 0, 12, 13, 14, 15]);
    expect(pictureOf({ shape: SHAPE, voxels: VOXELS }, 2, 4)[0]).toHaveLength(0);
  });
});

describe("three planes", () => {
  it("need slices that are thin, and no thicker than twice the pixel", () => {
    expect(planesProblemOf({ affine: axial([1, 1, 1]), shape: [160, 256, 256] })).toBeNull();
    expect(planesProblemOf({ affine: axial([1.5, 0.8, 0.75]), shape: [100, 256, 256] })).toBeNull();
    expect(planesProblemOf({ affine: axial([6.5, 0.9, 0.9]), shape: [22, 256, 256] })).toContain("6.5 mm apart, 7.2 times the pixel");
    expect(planesProblemOf({ affine: axial([1.2, 0.5, 0.5]), shape: [120, 512, 512] })).toContain("2.4 times");
  });

  it("are named for the patient, however the slices were taken", () => {
    expect(([0, 1, 2] as const).map((axis) => planeName(axial([1, 1, 1]), axis))).toEqual(["Axial", "Coronal", "Sagittal"]);
    expect(([0, 1, 2] as const).map((axis) => planeName(SAGITTAL, axis))).toEqual(["Sagittal", "Axial", "Coronal"]);
  });

  it("are turned so that the head or the face is up and the patient's right is left", () => {
    expect(turnOf(axial([1, 1, 1]), 1)).toEqual({ isTransposed: false, isRowFlipped: true, isColumnFlipped: false });
    expect(turnOf(axial([1, 1, 1]), 2)).toEqual({ isTransposed: false, isRowFlipped: true, isColumnFlipped: false });
    // The axial plane of sagittal slices has the patient's left and right along its rows.
    expect(turnOf(SAGITTAL, 1)).toEqual({ isTransposed: true, isRowFlipped: false, isColumnFlipped: false });
  });

  it("show the slices themselves upright too, whichever way their rows and columns were stored", () => {
    // A NIfTI in RAS: rows to the face, columns to the patient's right.
    const ras: Affine = [0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    // Rows to the patient's left, columns to the back: no mirroring makes them upright.
    const transposed: Affine = [0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1];

    expect(flipsOf(axial([1, 1, 1]))).toEqual({ flipVertical: false, flipHorizontal: false });
    expect(flipsOf(SAGITTAL)).toEqual({ flipVertical: false, flipHorizontal: false });
    expect(flipsOf(ras)).toEqual({ flipVertical: true, flipHorizontal: true });
    expect(flipsOf(transposed)).toEqual({ flipVertical: false, flipHorizontal: false });
  });
});

describe("a picture in its pane", () => {
  const grid: Grid = { affine: axial([2, 1, 1]), shape: [50, 100, 200] };

  it("has millimetres of the same length both ways and lies in the middle", () => {
    const coronal = placePicture(grid, 1, 400, 400); // 100 mm high, 200 mm wide: 2 pixels a millimetre

    expect(coronal.toPane(49, 0)).toEqual([1, 102]);
    expect(coronal.toPane(0, 199)).toEqual([399, 298]);
  });

  it.each([1, 2] as const)("gives back the place of plane %i that it put there", (axis: PlaneAxis) => {
    for (const { affine } of [grid, { affine: SAGITTAL }]) {
      const placement = placePicture({ affine, shape: grid.shape }, axis, 300, 500);
      const [row, column] = placement.toPicture(...placement.toPane(12, 34));
      expect(row).toBeCloseTo(12, 9);
      expect(column).toBeCloseTo(34, 9);
    }
  });
});

describe("pixels", () => {
  it("are gray between the ends of the window, and the other way round when inverted", () => {
    const pixels = new Uint8ClampedArray(12);
    paintGray(Float32Array.of(0, 160, 900), 100, 200, false, pixels);
    expect([...pixels]).toEqual([0, 0, 0, 255, 153, 153, 153, 255, 255, 255, 255, 255]);
    paintGray(Float32Array.of(0, 160, 900), 100, 200, true, pixels);
    expect([pixels[0], pixels[8]]).toEqual([255, 0]);
  });

  it("of a heat map begin at the threshold and grow brighter with the probability", () => {
    const colors = heatColors();
    const pixels = new Uint8ClampedArray(16);
    paintHeat(Uint8Array.of(0, 127, 128, 255), 0.5, colors, pixels);

    expect([pixels[3], pixels[7]]).toEqual([0, 0]);
    expect([...pixels.subarray(12)]).toEqual([254, 223, 143, 158]);
    const brightness = (value: number) => 0.2126 * (colors[value * 4] ?? 0) + 0.7152 * (colors[value * 4 + 1] ?? 0) + 0.0722 * (colors[value * 4 + 2] ?? 0);
    for (let value = 1; value < 256; value += 1) expect(brightness(value)).toBeGreaterThanOrEqual(brightness(value - 1) - 0.5);
  });

  it("of a heat map leave out what is impossible even at threshold 0", () => {
    const pixels = new Uint8ClampedArray(4);
    paintHeat(Uint8Array.of(0), 0, heatColors(), pixels);
    expect([...pixels]).toEqual([0, 0, 0, 0]);
  });
});

describe("the longest axis", () => {
  const shape = [4, 10, 10] as const;
  const at = (slice: number, row: number, column: number) => (slice * 10 + row) * 10 + column;

  it("joins the two voxels farthest apart in the patient, not in the grid", () => {
    const found = longestAxis([at(0, 2, 2), at(0, 2, 3), at(0, 2, 8), at(2, 2, 2)], shape, axial([5, 0.5, 0.5]));

    expect(found?.ends).toEqual([[0, 2, 8], [2, 2, 2]]);
    expect(found?.lengthMm).toBeCloseTo(Math.hypot(10, 3), 9);
  });

  it("of one voxel is the larger pixel spacing; of none there is none", () => {
    expect(longestAxis([at(1, 1, 1)], shape, axial([5, 0.5, 0.8]))?.lengthMm).toBe(0.8);
    expect(longestAxis([], shape, axial([5, 1, 1]))).toBeNull();
  });

  it("within one slice is that of the slice that shows most of the lesion, and tells its size", () => {
    const voxels = [at(0, 2, 2), at(1, 2, 2), at(1, 2, 9), at(2, 8, 8)];

    expect(inPlaneAxisMm(voxels, shape, axial([5, 0.5, 0.5]))).toBe(3.5);
    expect([4.9, 5, 10 - 1e-12, 10].map(sizeOf)).toEqual(["small", "medium", "large", "large"]);
    expect([countsBySize([3, 12, 4]), countsBySize([3, null])]).toEqual([{ small: 2, medium: 0, large: 1 }, null]);
  });
});

describe("a lesion in another volume", () => {
  const source: Grid = { affine: axial([1, 1, 1]), shape: [20, 20, 20] };
  const target: Grid = { affine: axial([2, 1, 1]), shape: [10, 20, 20] };
  const cube = [4, 5, 6, 7].flatMap((z) => [8, 9].flatMap((y) => [10, 11, 12].map((x) => (z * 20 + y) * 20 + x)));

  it("covers the voxels whose centres lie in it after the shift between the two", () => {
    const shift: Affine = [1, 0, 0, 3, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]; // the source lies 3 mm further to the left

    const carried = carryVoxels(cube, source, target, shift);

    const wanted = [2, 3].flatMap((z) => [8, 9].flatMap((y) => [7, 8, 9].map((x) => (z * 20 + y) * 20 + x)));
    expect(carried.toSorted((first, second) => first - second)).toEqual(wanted);
  });

  it("is where it was when nothing moved", () => {
    expect(carryVoxels(cube, source, source, axial([1, 1, 1]).map((_, index) => (index % 5 === 0 ? 1 : 0)))).toEqual(cube);
    expect(toVoxel(source.affine, toWorld(source.affine, [4, 8, 10]))).toEqual([4, 8, 10]);
  });

  it("is painted with its value, later extents above earlier ones", () => {
    const { voxels } = paintExtents([1, 1, 4], [{ value: 1, voxels: [0, 1, 2] }, { value: 5, voxels: [2, 3] }]);
    expect([...voxels]).toEqual([1, 1, 5, 5]);
  });
});
