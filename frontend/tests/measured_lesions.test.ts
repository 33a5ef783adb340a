import { expect, it } from "vitest";

import type { LabelVolume } from "../src/geometry/labels";
import type { Statement } from "../src/server/review";
import type { Lesion } from "../src/server/types";
import { componentOfLesion, sameLesion } from "../src/state/lesion_identity";
import { measuredLesions } from "../src/state/measured_lesions";

/** Slices 3 mm apart, rows 2 mm, columns 1 mm: a voxel has 6 mm³. */
const AFFINE = [0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1];
const RULE = "26-connected components of at least 14.1 mm³; active when at least half of the voxels are labelled active";

function labelsOf(...slices: string[]): LabelVolume {
  return { shape: [slices.length, 1, slices[0]?.length ?? 0], voxels: Uint8Array.from(slices.join(""), Number) };
}

const known = (number: number, voxel_count: number, centroid_index: number[], slice_indices: number[]): Lesion => ({
  id: `known ${number}`, number, lesion_class: "inactive", volume_ml: 1, longest_axis_mm: 9, in_plane_axis_mm: 9, voxel_count, centroid_mm: [0, 0, 0],
  centroid_index, slice_indices, mean_probability: 0.5, evidence: null, region: "periventricular",
});

const confirmed: Statement = { id: "a", kind: "confirmed", anchor: [1, 0, 8], lesion_class: "active", evidence: "prior", reason: "" };

it("lesions of a draft are measured as the server's counting rule has them", () => {
  const labels = labelsOf("1110000000", "0000000222", "0000110000");
  const measured = measuredLesions({ labels, affine: AFFINE, statements: [confirmed], known: [], countingRule: RULE });

  expect(measured.lesions.map(({ number, lesion_class, voxel_count, volume_ml, slice_indices, evidence }) => ({ number, lesion_class, voxel_count, volume_ml, slice_indices, evidence }))).toEqual([
    { number: 1, lesion_class: "inactive", voxel_count: 3, volume_ml: 0.018, slice_indices: [0], evidence: null },
    { number: 2, lesion_class: "active", voxel_count: 3, volume_ml: 0.018, slice_indices: [1], evidence: "prior" },
  ]);
  expect(measured.lesions[1]).toMatchObject({ centroid_index: [1, 0, 8], centroid_mm: [8, 0, 3], longest_axis_mm: 2, in_plane_axis_mm: 2, mean_probability: null });
  expect([measured.lesion_counts, measured.lesion_volumes_ml]).toEqual([{ active: 1, inactive: 1 }, { active: 0.018, inactive: 0.018 }]);
  expect(measured.counts_by_slice).toEqual({ active: [0, 1, 0], inactive: [1, 0, 0] });
});

it("what did not change is what the server measured, in its new place and class", () => {
  const labels = labelsOf("2220001111");
  const measured = measuredLesions({ labels, affine: AFFINE, statements: [], known: [known(1, 3, [0, 0, 1], [0])], countingRule: RULE });

  expect(measured.lesions.map(({ id, number, lesion_class, longest_axis_mm }) => [id, number, lesion_class, longest_axis_mm])).toEqual([
    ["unsaved 6", 1, "inactive", 3], ["known 1", 2, "active", 9],
  ]);
});

it("a row finds its lesion again after it was changed, and none once it is gone", () => {
  const row = known(1, 3, [0, 0, 1], [0]);

  expect([...(componentOfLesion(labelsOf("1111000011"), row) ?? [])]).toEqual([0, 1, 2, 3]);
  expect(componentOfLesion(labelsOf("0000000011"), row)).toBeNull();
  expect(sameLesion(row, [known(1, 9, [0, 0, 8], [0]), known(2, 4, [0, 0, 1.5], [0])])?.number).toBe(2);
  expect(sameLesion(row, [known(1, 9, [0, 0, 8], [0])])).toBeNull();
});
