import { describe, expect, it } from "vitest";

import { componentAt, componentsOf } from "../src/geometry/components";
import { paint, paintWithin, rangeAround, voxelsBelow, type Dab } from "../src/geometry/edits/brush";
import { anchorOf, centroidOf, classOf, spacingOf, type Shape } from "../src/geometry/edits/grid";
import { fillHoles } from "../src/geometry/edits/holes";
import { interpolate, patchNear } from "../src/geometry/edits/interpolate";
import { join, nearestPair } from "../src/geometry/edits/join";
import { reclassify, removeLesion } from "../src/geometry/edits/lesion";
import { copySlice } from "../src/geometry/edits/neighbouring_slice";
import { grow, RegionError } from "../src/geometry/edits/region_grow";
import { pixelsBetween, split } from "../src/geometry/edits/split";
import { applied, combined, differenceOf, editOf, inverseOf, NO_CHANGE, slicesOf } from "../src/geometry/edits/voxel_edit";
import type { LabelVolume } from "../src/geometry/labels";
import { encodeMask } from "../src/geometry/mask_codec";
import { MaskRuns } from "../src/geometry/mask_runs";

const empty = (shape: Shape): LabelVolume => ({ shape, voxels: new Uint8Array(shape[0] * shape[1] * shape[2]) });

/** Slices of text: one line a row, one digit a voxel. */
function drawn(...slices: string[]): LabelVolume {
  const rows = slices.map((slice) => slice.trim().split(/\s+/));
  const [first = [""]] = rows;
  const voxels = Uint8Array.from(rows.flat().join(""), Number);
  return { shape: [slices.length, first.length, first[0]?.length ?? 0], voxels };
}

function textOf({ shape: [slices, rows, columns], voxels }: LabelVolume): string[] {
  return Array.from({ length: slices }, (_, slice) =>
    Array.from({ length: rows }, (__, row) => voxels.slice((slice * rows + row) * columns, (slice * rows + row + 1) * columns).join("")).join(" "),
  );
}

const after = (labels: LabelVolume, edit: Parameters<typeof applied>[1]) => textOf(applied({ ...labels, voxels: labels.voxels.slice() }, edit));
const UNIT = [1, 1, 1] as const;
const dab = (from: [number, number], to: [number, number], diameterMm: number, sliceIndex = 0): Dab => ({
  sliceIndex, diameterMm, from: { row: from[0], column: from[1] }, to: { row: to[0], column: to[1] },
});

describe("an edit", () => {
  const labels = drawn("012 000");

  it("holds only what changes, in ascending order, with the label before", () => {
    const edit = editOf(labels, new Map([[5, 1], [1, 1], [2, 0]]));

    expect([...edit.indices, ...edit.before, ...edit.after]).toEqual([2, 5, 2, 0, 0, 1]);
  });

  it("makes no volume of another shape, even of as many voxels", () => {
    expect(() => differenceOf(labels, drawn("01 20 00"))).toThrow("A mask of 1 × 2 × 3 voxels cannot become one of 1 × 3 × 2; both need one grid.");
  });

  it("is undone exactly by its inverse", () => {
    const edit = editOf(labels, new Map([[5, 2], [2, 0]]));
    const changed = applied({ ...labels, voxels: labels.voxels.slice() }, edit);

    expect(textOf(changed)).toEqual(["010 002"]);
    expect(textOf(applied(changed, inverseOf(edit)))).toEqual(["012 000"]);
  });

  it("leaves a voxel alone that somebody else changed since", () => {
    const edit = editOf(labels, new Map([[0, 1], [5, 1]]));
    const theirs = { ...labels, voxels: Uint8Array.from([2, 1, 2, 0, 0, 0]) };

    expect(after(theirs, edit)).toEqual(["212 001"]);
  });

  it("is one for a whole stroke, without what came back to what it was", () => {
    const first = editOf(labels, new Map([[0, 1], [3, 1]]));
    const second = editOf(applied({ ...labels, voxels: labels.voxels.slice() }, first), new Map([[3, 0], [0, 2]]));
    const stroke = combined([first, second]);

    expect([[...stroke.indices], [...stroke.before], [...stroke.after]]).toEqual([[0], [0], [2]]);
  });

  it("is told by the difference of two volumes, and names its slices", () => {
    const edit = differenceOf(drawn("00", "01", "20"), drawn("00", "21", "00"));

    expect([...edit.indices]).toEqual([2, 4]);
    expect(slicesOf(edit, [3, 1, 2])).toEqual([1, 2]);
    expect(slicesOf(NO_CHANGE, [3, 1, 2])).toEqual([]);
  });
});

describe("the brush", () => {
  it("is a disc in mm", () => {
    expect(after(empty([1, 5, 5]), paint(empty([1, 5, 5]), UNIT, dab([2, 2], [2, 2], 4), 2))).toEqual(["00200 02220 22222 02220 00200"]);
  });

  it("is an ellipse on pixels that are not square", () => {
    expect(after(empty([1, 5, 5]), paint(empty([1, 5, 5]), [3, 2, 1], dab([2, 2], [2, 2], 4), 1))).toEqual(["00000 00100 11111 00100 00000"]);
  });

  it("leaves no gap between two samples of the pointer", () => {
    expect(after(empty([1, 3, 6]), paint(empty([1, 3, 6]), UNIT, dab([1, 0], [1, 5], 1), 1))).toEqual(["000000 111111 000000"]);
  });

  it("covers the pixel below it even when it is smaller", () => {
    expect(voxelsBelow([1, 3, 3], UNIT, dab([0.4, 1.4], [0.4, 1.4], 0.1))).toEqual([1]);
  });

  it("stays on its slice and on the volume", () => {
    expect(voxelsBelow([2, 2, 2], UNIT, dab([0, 0], [0, 0], 2, 1))).toEqual([4, 5, 6]);
    expect(voxelsBelow([2, 2, 2], UNIT, dab([0, 0], [0, 0], 2, 2))).toEqual([]);
  });

  it("erases with 0", () => {
    const labels = drawn("121 212");
    expect(after(labels, paint(labels, UNIT, dab([0, 1], [0, 1], 1), 0))).toEqual(["101 212"]);
  });

  it("with a threshold paints only what is as bright as where it began", () => {
    const slice = [10, 11, 50, 10, 12, 9, 90, 10, 10];
    const range = rangeAround([10, 10, 10, 10, 10, 10, 10, 10, 10], [1, 3, 3], { row: 1, column: 1 }, 2);

    expect(range).toEqual({ lowest: 8, highest: 12 });
    expect(after(empty([1, 3, 3]), paintWithin(empty([1, 3, 3]), UNIT, dab([1, 1], [1, 1], 4), { label: 1, slice, range }))).toEqual(["110 111 011"]);
  });

  it("knows the size of a pixel from the affine", () => {
    expect(spacingOf([0, 0, 0.5, 0, 0, 0.7, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1])).toEqual([3, 0.7, 0.5]);
  });
});

describe("region growing", () => {
  const bright = [[9, 9, 0, 9], [0, 9, 0, 9]];
  const growth = { seed: 0, range: { lowest: 8, highest: 10 }, label: 2, intensitiesOf: (slice: number) => bright[slice] ?? null, mostVoxels: 10 };

  it("follows what is as bright through sides, in three dimensions, and not through corners", () => {
    expect(after(empty([2, 1, 4]), grow(empty([2, 1, 4]), growth))).toEqual(["2200", "0200"]);
  });

  it("goes around what is another lesion", () => {
    const labels = drawn("0100", "0000");
    expect(after(labels, grow(labels, growth))).toEqual(["2100", "0000"]);
  });

  it("refuses a region that is larger than the limit, and a seed that is not background", () => {
    expect(() => grow(empty([2, 1, 4]), { ...growth, mostVoxels: 2 })).toThrow(RegionError);
    expect(() => grow(drawn("1000", "0000"), growth)).toThrow(RegionError);
  });
});

describe("a whole lesion", () => {
  const labels = drawn("1100 0002 0000", "2000 0000 0010");
  const lesions = componentsOf(labels);
  const [first = new Uint32Array(), second = new Uint32Array()] = lesions;

  it("is removed, turned, and measured", () => {
    expect(after(labels, removeLesion(labels, first))).toEqual(["0000 0002 0000", "0000 0000 0010"]);
    expect(after(labels, reclassify(labels, first, "active"))).toEqual(["2200 0002 0000", "2000 0000 0010"]);
    expect([classOf(labels, first), classOf(labels, second)]).toEqual(["inactive", "active"]);
    expect(centroidOf(labels.shape, [0, 1, 13])).toEqual([1 / 3, 0, 2 / 3]);
    expect(anchorOf(labels.shape, [0, 1, 2])).toEqual([0, 0, 1]);
  });

  it("has its holes filled on each slice with its class", () => {
    const ring = drawn("22200 20220 22020 02220 00000", "00000 00000 00000 00000 00000");
    const [lesion = new Uint32Array()] = componentsOf(ring);

    expect(after(ring, fillHoles(ring, lesion))[0]).toBe("22200 22220 22220 02220 00000");
  });

  it("with an opening to the outside has no hole", () => {
    const open = drawn("111 101 101");
    expect(fillHoles(open, componentsOf(open)[0] ?? []).indices.length).toBe(0);
  });

  it("is split by a line through all of its slices", () => {
    const bar = drawn("111111 111111", "111111 111111");
    const edit = split(bar, componentsOf(bar)[0] ?? [], [{ row: -0.4, column: 2.4 }, { row: 1.2, column: 3 }]);
    const halves = applied({ ...bar, voxels: bar.voxels.slice() }, edit);

    expect(textOf(halves)).toEqual(["110011 111011", "110011 111011"]);
    expect(componentsOf(halves)).toHaveLength(2);
  });

  it("is split by a slanted line without a corner to slip through", () => {
    const pixels = pixelsBetween({ row: 0, column: 0 }, { row: 5, column: 7 });

    expect(pixels).toHaveLength(13);
    expect(pixels.every(([row, column], at) => at === 0 || Math.abs(row - (pixels[at - 1]?.[0] ?? 0)) + Math.abs(column - (pixels[at - 1]?.[1] ?? 0)) === 1)).toBe(true);
  });

  it("is joined to another by the shortest bridge, in the class of most of it", () => {
    const two = drawn("110000 000002 000000");
    const [left = new Uint32Array(), right = new Uint32Array()] = componentsOf(two);

    expect(nearestPair(two.shape, [1, 2, 1], left, right)).toEqual({ from: 1, to: 11, distanceMm: Math.sqrt(20) });
    expect(after(two, join(two, UNIT, [left, right]))).toEqual(["111000 000111 000000"]);
    expect(after(two, join(two, UNIT, [left, right], "active"))).toEqual(["222000 000222 000000"]);
  });
});

describe("neighbouring slices", () => {
  it("are copied into the background, whole or one lesion", () => {
    const labels = drawn("1020 1000", "0000 2000");
    const [lesion = new Uint32Array()] = componentsOf(labels);

    expect(after(labels, copySlice(labels, { from: 0, to: 1 }))[1]).toBe("1020 2000");
    expect(after(labels, copySlice(labels, { from: 0, to: 1, lesion }))[1]).toBe("1000 2000");
    expect(copySlice(labels, { from: -1, to: 0 })).toEqual(NO_CHANGE);
  });

  it("are filled between two drawings by their shape", () => {
    const labels = drawn("0000000 0111110 0111110 0111110 0111110 0111110 0000000", "0000000 ".repeat(7), "0000000 0000000 0000000 0001000 0000000 0000000 0000000");
    const at = (sliceIndex: number) => patchNear(labels, UNIT, { sliceIndex, point: { row: 3, column: 3 }, withinMm: 5 });
    const [first, second] = [at(0), at(2)];
    if (!first || !second) throw new Error("both slices hold a patch");

    expect(after(labels, interpolate(labels, UNIT, second, first, 1))[1]).toBe("0000000 0000000 0011100 0011100 0011100 0000000 0000000");
  });

  it("are joined when the drawings do not overlap", () => {
    const labels = drawn("110000 110000", "000000 000000", "000011 000011");
    const at = (sliceIndex: number, column: number) => patchNear(labels, UNIT, { sliceIndex, point: { row: 0, column }, withinMm: 3 });
    const [first, second] = [at(0, 0), at(2, 5)];
    if (!first || !second) throw new Error("both slices hold a patch");

    expect(after(labels, interpolate(labels, UNIT, first, second, 2))[1]).toBe("002200 002200");
    expect(at(1, 0)).toBeNull();
    expect(at(0, 5)).toBeNull();
  });
});

describe("components", () => {
  it("are joined through sides, edges and corners, and across slices, but not around the end of a row", () => {
    const labels = drawn("1000 0100 0000", "0000 0000 0020", "0000 0000 0000", "0002 1000 0000");

    expect(componentsOf(labels).map((component) => [...component])).toEqual([[0, 5, 22], [39], [40]]);
  });

  it("hold the voxel that is asked for", () => {
    const components = componentsOf(drawn("1101"));

    expect(componentAt(components, 3)).toEqual(Uint32Array.from([3]));
    expect(componentAt(components, 2)).toBeNull();
  });

  it("are those of a plain flood on random labels", () => {
    const labels = empty([5, 9, 11]);
    let state = 7;
    for (let at = 0; at < labels.voxels.length; at += 1) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      labels.voxels[at] = state % 5 === 0 ? 1 + (state % 2) : 0;
    }

    expect(componentsOf(labels).map((component) => [...component])).toEqual(floods(labels));
  });

  it("are found one by one in 11 million voxels", () => {
    const labels = empty([176, 256, 256]);
    for (let lesion = 0; lesion < 60; lesion += 1) labels.voxels.fill(2, lesion * 179_200 + 5, lesion * 179_200 + 65);

    expect(componentsOf(labels).map(({ length }) => length)).toEqual(Array.from({ length: 60 }, () => 60));
  });
});

/** The slow way that cannot be wrong. */
function floods({ shape: [slices, rows, columns], voxels }: LabelVolume): number[][] {
  const isSeen = new Set<number>();
  return [...voxels.keys()].filter((at) => voxels[at] !== 0).flatMap((seed) => {
    if (isSeen.has(seed)) return [];
    const found = [seed];
    isSeen.add(seed);
    for (const at of found) {
      const [z, y, x] = [Math.floor(at / rows / columns), Math.floor(at / columns) % rows, at % columns];
      for (let step = 0; step < 27; step += 1) {
        const [nz, ny, nx] = [z + (step % 3) - 1, y + (Math.floor(step / 3) % 3) - 1, x + Math.floor(step / 9) - 1];
        const next = (nz * rows + ny) * columns + nx;
        if (nz < 0 || ny < 0 || nx < 0 || nz >= slices || ny >= rows || nx >= columns || voxels[next] === 0 || isSeen.has(next)) continue;
        isSeen.add(next);
        found.push(next);
      }
    }
    return [found.toSorted((first, second) => first - second)];
  });
}

describe("a mask that is encoded while it is edited", () => {
  it("has the bytes of the whole encoding", () => {
    const labels = drawn("0000 0000", "0011 1111", "1120 0000", "0000 0000");
    const runs = new MaskRuns();
    expect(runs.encode(labels)).toEqual(encodeMask(labels));

    labels.voxels[9] = 2;
    labels.voxels[31] = 1;
    runs.touch([1, 3]);

    expect(runs.encode(labels)).toEqual(encodeMask(labels));
  });
});
