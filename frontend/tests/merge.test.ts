import { describe, expect, it } from "vitest";

import { decided, merge, type Said, type Side } from "../src/geometry/merge";

const side = (voxels: string, statements: Said[] = []): Side<Said> => ({
  labels: { shape: [1, 1, voxels.length], voxels: Uint8Array.from(voxels, Number) }, statements,
});
const said = (id: string, kind: string, column: number, lesion_class = "active"): Said => ({
  id, kind, lesion_class, anchor: [0, 0, column], evidence: null, reason: "",
});
const textOf = ({ labels }: Pick<Side<Said>, "labels">) => labels.voxels.join("");
const idsOf = (statements: readonly Said[]) => statements.map(({ id }) => id);

describe("voxels", () => {
  it("are taken from the side that changed them, or from both when they agree", () => {
    const merged = merge(side("1100220"), side("1200221"), side("0102221"));

    expect(textOf(merged)).toBe("0202221");
    expect(merged.conflicts).toEqual([]);
  });

  it("that both changed differently are one conflict for each place, with both sides", () => {
    const merged = merge(side("1100110"), side("2200220"), side("0000010"));

    expect(merged.conflicts.map(({ voxels, mine, theirs }) => [[...voxels], [...mine], [...theirs]])).toEqual([
      [[0, 1], [2, 2], [0, 0]],
      [[4], [2], [0]],
    ]);
    expect(merged.conflicts.map(({ anchor }) => anchor)).toEqual([[0, 0, 1], [0, 0, 4]]);
  });

  it("in a conflict are mine until each place is decided", () => {
    const merged = merge(side("1100110"), side("2200220"), side("0000010"));

    expect(textOf(merged)).toBe("2200220");
    expect(textOf(decided(merged, ["theirs", "mine"]))).toBe("0000220");
    expect(textOf(decided(merged, ["mine", "theirs"]))).toBe("2200020");
    expect(textOf(merged)).toBe("2200220");
  });

  it("of one side only lose nothing", () => {
    const [base, mine] = [side("0120"), side("2101")];

    expect(textOf(merge(base, mine, base))).toBe("2101");
    expect(textOf(merge(base, base, mine))).toBe("2101");
  });
});

describe("statements", () => {
  it("are merged by id: added on either side, gone when either side took them back", () => {
    const [kept, mineGone, theirsGone] = [said("kept", "confirmed", 0), said("m", "confirmed", 2), said("t", "confirmed", 4)];
    const base = side("1010100", [kept, mineGone, theirsGone]);
    const mine = side("1010100", [kept, theirsGone, said("new", "confirmed", 2)]);
    const theirs = side("1010101", [kept, mineGone, said("other", "added", 6)]);

    expect(idsOf(merge(base, mine, theirs).statements)).toEqual(["kept", "new", "other"]);
  });

  it("keep what the server added to them", () => {
    const told = { ...said("one", "confirmed", 0), author: "somebody" };
    const merged = merge<Said>(side("1", [said("one", "confirmed", 0)]), side("1", [said("one", "confirmed", 0)]), side("1", [told]));

    expect(merged.statements).toEqual([told]);
  });

  it("that say different things of one lesion are a conflict, even where no voxel is", () => {
    const merged = merge(side("0110"), side("0110", [said("mine", "confirmed", 1)]), side("0000", [said("theirs", "false_positive", 2)]));
    const [conflict] = merged.conflicts;

    expect([...(conflict?.voxels ?? [])]).toEqual([1, 2]);
    expect([idsOf(conflict?.myStatements ?? []), idsOf(conflict?.theirStatements ?? [])]).toEqual([["mine"], ["theirs"]]);
    expect([textOf(decided(merged, ["mine"])), idsOf(decided(merged, ["mine"]).statements)]).toEqual(["0110", ["mine"]]);
    expect([textOf(decided(merged, ["theirs"])), idsOf(decided(merged, ["theirs"]).statements)]).toEqual(["0000", ["theirs"]]);
  });

  it("that say the same of one lesion are none", () => {
    const merged = merge(side("011"), side("011", [said("mine", "confirmed", 1)]), side("011", [said("theirs", "confirmed", 2)]));

    expect(merged.conflicts).toEqual([]);
    expect(idsOf(merged.statements)).toEqual(["mine", "theirs"]);
  });
});
