import { describe, expect, it } from "vitest";

import { point3, toWorld, toWorldDirection, type Point3 } from "../src/geometry/affine";
import type { LabelVolume } from "../src/geometry/labels";
import { boxesOf, lesionAt } from "../src/geometry/lesion_extent";
import { sideOf } from "../src/geometry/orientation";
import { outlineLoops, type Loop } from "../src/geometry/outlines";
import { extremes, PixelError, rescaled, storedPixelsOf, type PixelFormat } from "../src/geometry/pixels";
import { slicePlace } from "../src/geometry/slice_place";
import { centreOut, sliceWithMostLesions } from "../src/geometry/slice_order";
import { applyPreset, sliceWindow, rangeOf, WINDOW_PRESETS, windowOf } from "../src/geometry/windowing";

/** Slices 5 mm towards the head, rows 0.5 mm to the back, columns 0.8 mm to the left; first voxel at (-10, -20, 30). */
const AFFINE = [0, 0, 0.8, -10, 0, 0.5, 0, -20, 5, 0, 0, 30, 0, 0, 0, 1];

describe("an affine", () => {
  it("takes slice, row and column to millimetres", () => {
    expect(toWorld(AFFINE, [2, 4, 10])).toEqual([-2, -18, 40]);
  });

  it("leaves the origin out of a direction", () => {
    expect(toWorldDirection(AFFINE, [1, 0, 0])).toEqual([0, 0, 5]);
  });

  it("refuses a point of two numbers", () => {
    expect(() => point3([1, 2])).toThrow(RangeError);
  });
});

describe("the side that a direction points to", () => {
  it.each([
    [[1, 0, 0], "L"],
    [[-3, 0, 0], "R"],
    [[0, 1, 0], "P"],
    [[0, -1, 0], "A"],
    [[0, 0, 9], "H"],
    [[0, 0, -9], "F"],
    [[0, 0.2, 1], "H"],
    [[0, -0.7, 0.71], "HA"],
    [[0, 0, 0], ""],
  ] as const)("is %j: %s", (direction, side) => {
    expect(sideOf(direction)).toBe(side);
  });
});

/** Of slices of 21 rows and 11 columns of 1 mm, 5 mm apart, whose first voxel lies at the origin; directions in LPS. */
function placeOf({ rows, columns, slices, origin }: Record<"rows" | "columns" | "slices" | "origin", Point3>, sliceIndex: number): string {
  const line = (axis: 0 | 1 | 2) => [5 * slices[axis], rows[axis], columns[axis], origin[axis]];
  return slicePlace({ affine: [...line(0), ...line(1), ...line(2), 0, 0, 0, 1], shape: [4, 21, 11] }, sliceIndex);
}

describe("the place of a slice", () => {
  const [LEFT, BACK, HEAD]: Point3[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const;
  const minus = ([x, y, z]: Point3): Point3 => [-x, -y, -z];
  const tilted = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)] as const;

  it.each([
    ["axial", { rows: BACK, columns: LEFT, slices: HEAD, origin: [-70, -80, 30] }, ["H 30.0 mm", "H 35.0 mm", "H 40.0 mm", "H 45.0 mm"]],
    ["axial, from the head down", { rows: BACK, columns: LEFT, slices: minus(HEAD), origin: [-70, -80, 7] }, ["H 7.0 mm", "H 2.0 mm", "F 3.0 mm", "F 8.0 mm"]],
    ["sagittal", { rows: minus(HEAD), columns: BACK, slices: LEFT, origin: [-6, -100, 120] }, ["R 6.0 mm", "R 1.0 mm", "L 4.0 mm", "L 9.0 mm"]],
    ["coronal", { rows: minus(HEAD), columns: LEFT, slices: BACK, origin: [-90, -7.5, 110] }, ["A 7.5 mm", "A 2.5 mm", "P 2.5 mm", "P 7.5 mm"]],
  ] as const)("of a stack that is %s is along the stack", (_, grid, places) => {
    expect([0, 1, 2, 3].map((index) => placeOf(grid, index))).toEqual(places);
  });

  it("of an oblique slice is that of its middle, along the axis that it crosses most squarely", () => {
    const [along, across] = tilted(30);
    // Axial, the back of each row lower by 30 degrees: the middle lies 10 mm along the rows.
    const axial = { rows: [0, along, -across], columns: LEFT, slices: [0, across, along], origin: [-5, -10, 40] } as const;
    // Sagittal, turned by 30 degrees about the axis from foot to head: the middle lies 5 mm along the columns.
    const sagittal = { rows: minus(HEAD), columns: [-across, along, 0], slices: [along, across, 0], origin: [10, -100, 100] } as const;

    expect([0, 1].map((index) => placeOf(axial, index))).toEqual(["H 35.0 mm", "H 39.3 mm"]);
    expect([0, 1].map((index) => placeOf(sagittal, index))).toEqual(["L 7.5 mm", "L 11.8 mm"]);
  });

  it("of a tilted gantry is across its slices, not towards the next one", () => {
    const sheared = { rows: BACK, columns: LEFT, slices: [0, 0.8, 0.6], origin: [0, 0, 12] } as const;

    expect(placeOf(sheared, 1)).toBe("H 15.0 mm");
  });

  it("near zero has the side of what is written", () => {
    expect(placeOf({ rows: BACK, columns: LEFT, slices: HEAD, origin: [0, 0, -0.04] }, 0)).toBe("H 0.0 mm");
    expect(placeOf({ rows: BACK, columns: LEFT, slices: HEAD, origin: [0, 0, -0.06] }, 0)).toBe("F 0.1 mm");
  });
});

describe("slices", () => {
  it("are fetched from the start outwards, all of them once", () => {
    expect(centreOut(6, 2)).toEqual([2, 3, 1, 4, 0, 5]);
    expect(centreOut(3, 0)).toEqual([0, 1, 2]);
  });

  it("begin where most lesions are", () => {
    expect(sliceWithMostLesions({ active: [0, 1, 0, 0], inactive: [0, 0, 0, 3] }, 4)).toBe(3);
  });

  it("begin nearest to the middle on a tie, and in the middle without lesions", () => {
    expect(sliceWithMostLesions({ active: [2, 0, 0, 2, 0], inactive: [0, 0, 0, 0, 0] }, 5)).toBe(3);
    expect(sliceWithMostLesions({ active: [], inactive: [] }, 20)).toBe(9);
  });
});

/** Area by the shoelace formula: positive loops go round voxels, negative ones round holes. */
function signedArea(loop: Loop): number {
  let area = 0;
  for (let corner = 0; corner < loop.length; corner += 2) {
    const [x, y] = [loop[corner] ?? 0, loop[corner + 1] ?? 0];
    const [nextX, nextY] = [loop[(corner + 2) % loop.length] ?? 0, loop[(corner + 3) % loop.length] ?? 0];
    area += (x * nextY - nextX * y) / 2;
  }
  return area;
}

const sliceOfRows = (...rows: string[]) => Uint8Array.from(rows.join(""), Number);

describe("an outline", () => {
  it("of one voxel is its four corners", () => {
    expect(outlineLoops(sliceOfRows("000", "010", "000"), 3, 1)).toEqual([[1.5, 0.5, 1.5, 1.5, 0.5, 1.5, 0.5, 0.5]]);
  });

  it("keeps to one label and reaches the border", () => {
    expect(outlineLoops(sliceOfRows("12", "12"), 2, 2)).toEqual([[1.5, -0.5, 1.5, 1.5, 0.5, 1.5, 0.5, -0.5]]);
  });

  it("goes round a hole the other way", () => {
    const loops = outlineLoops(sliceOfRows("111", "101", "111"), 3, 1);

    expect(loops.map(signedArea)).toEqual([9, -1]);
  });

  it("separates voxels that touch at a corner", () => {
    expect(outlineLoops(sliceOfRows("10", "01"), 2, 1).map(signedArea)).toEqual([1, 1]);
  });

  it("encloses exactly the voxels of any slice", () => {
    let seed = 7;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 40; round += 1) {
      const columns = 1 + Math.floor(random() * 12);
      const slice = Uint8Array.from({ length: columns * (1 + Math.floor(random() * 12)) }, () => (random() < 0.5 ? 2 : 0));

      const area = outlineLoops(slice, columns, 2).reduce((sum, loop) => sum + signedArea(loop), 0);

      expect(area).toBe(slice.filter((label) => label === 2).length);
    }
  });

  it("of an empty slice is empty", () => {
    expect(outlineLoops(new Uint8Array(), 0, 1)).toEqual([]);
  });
});

describe("the extent of a lesion", () => {
  const labels: LabelVolume = {
    shape: [2, 3, 4],
    voxels: sliceOfRows("1001", "0000", "0000", "0000", "0210", "0000"),
  };

  it("follows voxels that touch at a corner, of both classes, through slices", () => {
    const voxels = lesionAt(labels, [1, 1, 2]);

    expect(voxels.toSorted((first, second) => first - second)).toEqual([0, 3, 17, 18]);
    expect(boxesOf(voxels, labels.shape)).toEqual(
      new Map([
        [1, { firstRow: 1, lastRow: 1, firstColumn: 1, lastColumn: 2 }],
        [0, { firstRow: 0, lastRow: 0, firstColumn: 0, lastColumn: 3 }],
      ]),
    );
  });

  it("is empty where nothing is marked", () => {
    expect(lesionAt({ shape: [1, 1, 2], voxels: new Uint8Array(2) }, [0, 0, 0])).toEqual([]);
    expect(lesionAt(labels, [5, 0, 0])).toEqual([]);
  });
});

describe("a window", () => {
  it("goes from black to white and back", () => {
    expect(rangeOf({ center: 40, width: 100 })).toEqual({ lower: -10, upper: 90 });
    expect(windowOf(-10, 90)).toEqual({ center: 40, width: 100 });
  });

  it("by a slice's brightness leaves out air and outliers", () => {
    const tissue = Array.from({ length: 1000 }, (_, index) => 500 + (index % 101));
    const { lower, upper } = rangeOf(sliceWindow([...Array<number>(3000).fill(0), ...tissue, 3000]));

    expect(lower).toBeCloseTo(502);
    expect(upper).toBeCloseTo(502 + (550 - 502) / 0.45);
  });

  it("has the brain in mid-grey, however bright the scalp", () => {
    const head = [...Array<number>(600).fill(1000), ...Array<number>(200).fill(550), ...Array<number>(200).fill(6000)];
    const { lower, upper } = rangeOf(sliceWindow(head));

    expect(lower).toBeCloseTo(550);
    expect(upper).toBeCloseTo(1550);
  });

  it("of a slice that is as dark in its middle as at its lower end has the rest of its brightness", () => {
    expect(rangeOf(sliceWindow([...Array<number>(600).fill(1000), ...Array<number>(400).fill(6000)]))).toEqual({ lower: 1000, upper: 6000 });
  });

  it("of a flat or empty slice keeps a width", () => {
    expect(sliceWindow([7, 7, 7])).toEqual({ center: 7.5, width: 1 });
    expect(sliceWindow([])).toEqual({ center: 0, width: 1 });
  });

  it("of the first preset is the series' own", () => {
    const [standard] = WINDOW_PRESETS;
    expect(standard && applyPreset({ center: 1000, width: 400 }, standard)).toEqual({ center: 1000, width: 400 });
  });
});

describe("pixels", () => {
  const format: PixelFormat = { rows: 1, columns: 2, bitsAllocated: 16, bitsStored: 16, isSigned: false, slope: 1, intercept: 0, isInverted: false };

  it("keep their stored type where rescaling changes nothing", () => {
    expect(storedPixelsOf(Uint8Array.of(1, 0, 255, 255), format)).toEqual(Uint16Array.of(1, 65_535));
    expect(storedPixelsOf(Uint8Array.of(1, 0, 255, 255), { ...format, isSigned: true })).toEqual(Int16Array.of(1, -1));
  });

  it("are turned over where the lowest value is white, within the bits that are stored", () => {
    const inverted = { ...format, bitsStored: 12, isInverted: true };
    expect(storedPixelsOf(Uint8Array.of(1, 0, 255, 15), inverted)).toEqual(Uint16Array.of(4_094, 0));
    expect(storedPixelsOf(Uint8Array.of(1, 0, 255, 255), { ...inverted, isSigned: true })).toEqual(Int16Array.of(-2, 0));
  });

  it("are rescaled to float32", () => {
    expect(rescaled(Uint16Array.of(1, 2), { ...format, slope: 2.5, intercept: -1 })).toEqual(Float32Array.of(1.5, 4));
  });

  it("are read from an odd place in a buffer", () => {
    expect(storedPixelsOf(Uint8Array.of(9, 1, 0, 2, 0).subarray(1), format)).toEqual(Uint16Array.of(1, 2));
  });

  it("are refused when bytes are missing", () => {
    expect(() => storedPixelsOf(Uint8Array.of(1, 0, 2), format)).toThrow(PixelError);
  });

  it("have extremes", () => {
    expect(extremes(Int16Array.of(4, -2, 7))).toEqual({ lowest: -2, highest: 7 });
  });
});
