import { describe, expect, it } from "vitest";

import type { LabelVolume, LesionClass } from "../src/geometry/labels";
import { DiffError, diffOf, lesionDiffs, type Placed } from "../src/geometry/version_diff";
import type { Statement } from "../src/server/review";
import type { Lesion } from "../src/server/types";
import { anchorOf, lesionOfAnchor, statementsByLesion } from "../src/state/anchors";

const volume = (...rows: string[]): LabelVolume => ({
  shape: [1, rows.length, rows[0]?.length ?? 0], voxels: Uint8Array.from(rows.join(""), (digit) => (digit === "." ? 0 : Number(digit))),
});

const placed = (number: number, lesion_class: LesionClass, row: number, column: number, volume_ml = 1): Placed => ({
  number, lesion_class, volume_ml, centroid: [0, row, column],
});

const BEFORE = volume(
  "11....22",
  "11......",
  "........",
  "..22..11",
);
const AFTER = volume(
  "11....11",
  "1.......",
  "....2...",
  "......11",
);

describe("the difference of two versions", () => {
  it("names every voxel that either has", () => {
    const { labels, voxelCounts } = diffOf(BEFORE, AFTER);

    expect([...labels.voxels].join("").match(/.{8}/g)).toEqual(["11000044", "13000000", "00002000", "00330011"]);
    expect(voxelCounts).toEqual({ kept: 5, added: 1, removed: 3, reclassified: 2 });
  });

  it("of a version and itself keeps everything", () => {
    expect(diffOf(BEFORE, BEFORE).voxelCounts).toEqual({ kept: 10, added: 0, removed: 0, reclassified: 0 });
  });

  it("mirrors added and removed when the versions change places", () => {
    const { voxelCounts } = diffOf(AFTER, BEFORE);

    expect(voxelCounts).toMatchObject({ added: 3, removed: 1, reclassified: 2 });
  });

  it("needs one grid", () => {
    expect(() => diffOf(BEFORE, volume("1"))).toThrow(DiffError);
  });

  it("tells lesions that were added, removed, reclassified and reshaped, and leaves out those that are as they were", () => {
    const before = { labels: BEFORE, lesions: [placed(1, "inactive", 0, 0, 4), placed(2, "active", 0, 6), placed(3, "active", 3, 2), placed(4, "inactive", 3, 6)] };
    const after = { labels: AFTER, lesions: [placed(1, "inactive", 0, 0, 3), placed(2, "inactive", 0, 6), placed(3, "active", 2, 4), placed(4, "inactive", 3, 6)] };

    const told = lesionDiffs(before, after).map(({ kind, before: first, after: second }) => [kind, first?.number ?? null, second?.number ?? null]);

    expect(told).toEqual([["reshaped", 1, 1], ["reclassified", 2, 2], ["added", null, 3], ["removed", 3, null]]);
  });
});

describe("an anchor", () => {
  const lesion = (number: number, voxel_count: number, row: number, column: number) =>
    ({ number, voxel_count, slice_indices: [0], centroid_index: [0, row, column] }) as unknown as Lesion;
  const lesions = [lesion(1, 4, 0.5, 0.5), lesion(2, 2, 0, 6.5), lesion(3, 2, 3, 2.5)];

  it("lies in its lesion and finds it again", () => {
    const anchor = anchorOf(BEFORE, lesions[0] as Lesion);

    expect(anchor).toEqual([0, 0, 0]);
    expect(lesionOfAnchor(BEFORE, lesions, anchor ?? [0, 0, 0])?.number).toBe(1);
    expect(lesionOfAnchor(BEFORE, lesions, [0, 0, 7])?.number).toBe(2);
  });

  it("leads each statement to its lesion, the last one where there are two", () => {
    const statement = (id: string, column: number) => ({ id, anchor: [0, 0, column] }) as unknown as Statement;
    const statements = [statement("a", 6), statement("b", 7), statement("c", 1), statement("lost", 4)];

    expect([...statementsByLesion(BEFORE, lesions, statements)].map(([number, { id }]) => [number, id])).toEqual([[2, "b"], [1, "c"]]);
  });

  it("finds nothing where the lesion is gone", () => {
    expect(lesionOfAnchor(AFTER, lesions, [0, 1, 1])).toBeNull();
  });
});
