import { describe, expect, it } from "vitest";

import { applied, editOf, type VoxelEdit } from "../src/geometry/edits/voxel_edit";
import type { LabelVolume } from "../src/geometry/labels";
import { History, packed, unpacked, type Edit } from "../src/state/history";
import { WorkingCopy } from "../src/state/working_copy";

/** The same numbers in every run. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

const volume = (): LabelVolume => ({ shape: [20, 64, 64], voxels: new Uint8Array(20 * 64 * 64) });

function randomEdit(labels: LabelVolume, random: (below: number) => number): VoxelEdit {
  const labelOf = new Map<number, number>();
  for (let row = 0; row < 6; row += 1) {
    const [start, label] = [random(labels.voxels.length - 20), random(3)];
    for (let voxel = start; voxel < start + random(20); voxel += 1) labelOf.set(voxel, label);
  }
  return editOf(labels, labelOf);
}

const said = (id: string) => ({ id, kind: "confirmed", anchor: [0, 0, 0], lesion_class: "active", evidence: "prior", reason: "" }) as const;
const voxelsOnly = (voxels: VoxelEdit): Edit => ({ voxels, added: [], removed: [] });

describe("packed voxels", () => {
  it("come back as they were", () => {
    const labels = volume();
    const random = randomly(3);
    for (let round = 0; round < 50; round += 1) {
      const edit = randomEdit(labels, random);
      expect(unpacked(packed(edit))).toEqual(edit);
      applied(labels, edit);
    }
  });

  it("take a few bytes for a row that changes alike", () => {
    const edit = editOf(volume(), new Map(Array.from({ length: 60 }, (_, at) => [70_000 + at, 2])));

    expect(packed(edit).length).toBe(5);
  });
});

describe("the history", () => {
  it("takes back 5,000 edits exactly, does them again exactly, and stays small", () => {
    const history = new History();
    const random = randomly(11);
    let labels = volume();
    for (let round = 0; round < 5_000; round += 1) {
      const voxels = randomEdit(labels, random);
      history.push(voxelsOnly(voxels));
      labels = applied(labels, voxels);
    }
    const last = labels.voxels.slice();

    for (let edit = history.undo(); edit; edit = history.undo()) labels = applied(labels, edit.voxels);
    expect(labels.voxels.every((label) => label === 0)).toBe(true);
    for (let edit = history.redo(); edit; edit = history.redo()) labels = applied(labels, edit.voxels);

    expect(labels.voxels).toEqual(last);
    expect([history.canUndo, history.canRedo]).toEqual([true, false]);
    expect(history.byteCount).toBeLessThan(1_000_000);
  });

  it("forgets what was undone once something else is done", () => {
    const history = new History();
    history.push(voxelsOnly(editOf(volume(), new Map([[1, 1]]))));
    history.undo();
    history.push(voxelsOnly(editOf(volume(), new Map([[2, 1]]))));

    expect(history.redo()).toBeNull();
    expect([...(history.undo()?.voxels.indices ?? [])]).toEqual([2]);
    expect(history.undo()).toBeNull();
  });
});

describe("a working copy", () => {
  it("undoes what is said with what is drawn", () => {
    const copy = new WorkingCopy({ labels: volume(), statements: [] });
    copy.edit({ voxels: editOf(copy.labels, new Map([[5, 1]])), added: [said("a")], removed: [] });
    copy.edit({ voxels: editOf(copy.labels, new Map([[5, 0]])), added: [said("b")], removed: [said("a")] });

    expect(copy.statements.map(({ id }) => id)).toEqual(["b"]);
    copy.undo();
    expect([copy.statements.map(({ id }) => id), copy.labels.voxels[5]]).toEqual([["a"], 1]);
    copy.undo();
    expect([copy.statements, copy.labels.voxels[5]]).toEqual([[], 0]);
    copy.redo();
    copy.redo();
    expect([copy.statements.map(({ id }) => id), copy.labels.voxels[5]]).toEqual([["b"], 0]);
  });

  it("has a new name for its labels after every change, and leaves those that it was made of alone", () => {
    const given = volume();
    const copy = new WorkingCopy({ labels: given, statements: [] });
    const before = copy.labels;
    copy.edit(voxelsOnly(editOf(copy.labels, new Map([[5, 1]]))));

    expect(copy.labels).not.toBe(before);
    expect(given.voxels[5]).toBe(0);
  });

  it("makes one step of a stroke, or none when it is cancelled", () => {
    const copy = new WorkingCopy({ labels: volume(), statements: [] });
    copy.extendStroke(editOf(copy.labels, new Map([[5, 1]])));
    copy.extendStroke(editOf(copy.labels, new Map([[6, 1]])));
    copy.endStroke(() => [said("drawn")]);
    copy.extendStroke(editOf(copy.labels, new Map([[7, 1]])));
    copy.cancelStroke();

    expect([...copy.labels.voxels.subarray(4, 9)]).toEqual([0, 1, 1, 0, 0]);
    copy.undo();
    expect([...copy.labels.voxels.subarray(4, 9), copy.statements.length]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(copy.canUndo).toBe(false);
  });

  it("undoes what the reader did and leaves what another reader did since", () => {
    const copy = new WorkingCopy({ labels: volume(), statements: [] });
    copy.edit(voxelsOnly(editOf(copy.labels, new Map([[5, 1], [6, 1]]))));
    const theirs = { ...copy.labels, voxels: copy.labels.voxels.slice() };
    theirs.voxels[6] = 2;
    theirs.voxels[9] = 2;
    copy.replace({ labels: theirs, statements: [] });
    copy.undo();

    expect([...copy.labels.voxels.subarray(5, 10)]).toEqual([0, 2, 0, 0, 2]);
  });
});
