import { beforeEach, describe, expect, it } from "vitest";

import { claimOf, classClaimOf } from "../src/components/lesion_claim";
import type { LesionClass } from "../src/geometry/labels";
import type { Enhancement } from "../src/server/enhancement";
import type { StudyChanges } from "../src/server/longitudinal";
import type { Statement } from "../src/server/review";
import type { Lesion } from "../src/server/types";
import { changesNow } from "../src/state/change_view";
import { takersAmong } from "../src/state/enhancement";
import { DEFAULT_VIEW, listed, rowsOf, saidByReaders, useLesionTable, type LesionChange, type TableView } from "../src/state/lesion_table";

const lesion = (number: number, lesion_class: LesionClass, axisMm: number, probability: number | null): Lesion => ({
  id: String(number), number, lesion_class, volume_ml: axisMm / 10, longest_axis_mm: axisMm, in_plane_axis_mm: axisMm, voxel_count: 9, centroid_mm: [0, 0, 0],
  centroid_index: [0, 0, 0], slice_indices: [0], mean_probability: probability, evidence: null,
  region: number < 3 ? "periventricular" : "infratentorial",
});

const statement = (id: string, kind: Statement["kind"], evidence: Statement["evidence"]): Statement => ({
  id, kind, evidence, anchor: [0, 0, 0], lesion_class: "active", reason: "",
});

const LESIONS = [lesion(1, "inactive", 9, 0.9), lesion(2, "active", 4, 0.5), lesion(3, "active", 2, null), lesion(4, "inactive", 4, 0.7)];
const STATEMENTS = new Map([[2, statement("a", "confirmed", "post_gadolinium")], [4, statement("b", "reclassified", null)]]);
const CHANGES = new Map<number, LesionChange>([[1, "stable"], [2, "new"], [4, "enlarging"]]);
const ROWS = rowsOf(LESIONS, STATEMENTS, CHANGES);
const numbers = (view: Partial<TableView>) => listed(ROWS, { ...DEFAULT_VIEW, ...view }).map((row) => row.lesion.number);

beforeEach(() => useLesionTable.getState().look(DEFAULT_VIEW));

describe("the lesion table", () => {
  it.each<[Partial<TableView>, number[]]>([
    [{}, [1, 2, 3, 4]],
    [{ sort: "class" }, [2, 3, 1, 4]],
    [{ sort: "volume", isDescending: true }, [1, 2, 4, 3]],
    [{ sort: "probability", isDescending: true }, [1, 4, 2, 3]],
    [{ sort: "change" }, [2, 4, 1, 3]],
    [{ sort: "review" }, [1, 3, 2, 4]],
    [{ lesionClass: "active" }, [2, 3]],
    [{ leastAxisMm: 4 }, [1, 2, 4]],
    [{ region: "infratentorial" }, [3, 4]],
    [{ sort: "region", isDescending: true }, [3, 4, 1, 2]],
    [{ change: "new" }, [2]],
    [{ review: "predicted" }, [1, 3]],
    [{ probability: "below_70" }, [2]],
    [{ probability: "from_70" }, [1, 4]],
    [{ lesionClass: "inactive", review: "reclassified" }, [4]],
  ])("looked at by %j lists %j", (view, expected) => {
    expect(numbers(view)).toEqual(expected);
  });

  it("sorts by size with the largest first, and the other way round the second time", () => {
    const { sortBy } = useLesionTable.getState();
    sortBy("volume");
    expect(useLesionTable.getState().view).toMatchObject({ sort: "volume", isDescending: true });
    sortBy("volume");
    expect(useLesionTable.getState().view).toMatchObject({ sort: "volume", isDescending: false });
  });

  it("marks the lesions that took up contrast agent, in a draft by their place", () => {
    const placed = LESIONS.map((each, order) => ({ ...each, centroid_index: [0, 20 * order, 0] as const }) as unknown as Lesion);
    const renumbered = placed.toReversed().map((each, order) => ({ ...each, number: order + 1 }));
    const found = { uptakes: [{ lesion: 2, anchor: [5, 0, 0] }, { lesion: 2, anchor: [7, 0, 0] }] } as unknown as Enhancement;
    const takers = takersAmong(found, placed, renumbered);
    expect(takers).toEqual([{ lesion: renumbered[2], sliceIndex: 5 }]);
    expect(rowsOf(renumbered, STATEMENTS, null, new Set(takers.map(({ lesion }) => lesion))).map(({ takesUp }) => takesUp)).toEqual([false, false, true, false]);
    expect(takersAmong(null, placed, renumbered)).toEqual([]);
  });

  describe("in a draft", () => {
    const at = (number: number, row: number, voxel_count = 9) => ({ ...lesion(number, "active", 3, null), voxel_count, centroid_index: [0, row, 0] }) as unknown as Lesion;
    const VERSION = [at(1, 0, 40), at(2, 50, 20), at(3, 100), at(4, 105)];
    const compared = {
      changes: [{ change: "enlarging", lesions: [1, 2] }, { change: "stable", lesions: [3] }, { change: "new", lesions: [4] }, { change: "resolved", lesions: [] }],
      brightening: { spots: [{ lesions: [1] }] },
    } as unknown as StudyChanges;
    const numbersIn = (drafted: readonly Lesion[]) => changesNow(compared, VERSION, drafted).changes.map(({ lesions }) => lesions);

    it("keeps a change at its lesions when they are numbered anew", () => {
      const drafted = VERSION.toReversed().map((each, order) => ({ ...each, number: order + 1 }));
      expect(numbersIn(drafted)).toEqual([[4, 3], [2], [1], []]);
      expect(changesNow(compared, VERSION, drafted).brightening?.spots[0]?.lesions).toEqual([4]);
      expect(changesNow(compared, VERSION, VERSION)).toBe(compared);
    });

    it.each<[string, Lesion[], number[][]]>([
      ["a lesion that was split: both parts", [at(1, 50, 20), at(2, 2, 18), at(3, -2, 18), at(4, 100), at(5, 105)], [[2, 3, 1], [4], [5], []]],
      ["lesions that were merged: the one that they became", [at(1, 0, 40), at(2, 50, 20), at(3, 102.5, 22)], [[1, 2], [3], [3], []]],
      ["a deleted lesion: none, however near another is", [at(1, 0, 40), at(2, 50, 20), at(3, 105)], [[1, 2], [], [3], []]],
      ["a lesion that was drawn beside one: not that", [...VERSION.slice(0, 3), at(4, 97, 4), at(5, 105)], [[1, 2], [3], [5], []]],
    ])("marks of %s", (_, drafted, expected) => {
      expect(numbersIn(drafted)).toEqual(expected);
    });
  });

  it("says of counts how many are only predicted", () => {
    expect(saidByReaders(ROWS)).toEqual({ active: 1, inactive: 1 });
    expect([classClaimOf("active", 4, 0), classClaimOf("active", 4, 1), classClaimOf("inactive", 2, 2)]).toEqual([
      "AI-predicted active (FLAIR only)", "Active: 3 AI-predicted, 1 by readers", "Inactive, said by readers",
    ]);
  });

  it("says of every lesion what is known of it", () => {
    expect(ROWS.map(claimOf)).toEqual([
      "AI-predicted inactive (FLAIR only)",
      "Active, confirmed by a reader: post-gadolinium",
      "AI-predicted active (FLAIR only)",
      "Inactive, changed by a reader",
    ]);
  });
});
