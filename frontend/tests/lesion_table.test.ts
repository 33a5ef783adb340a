import { beforeEach, describe, expect, it } from "vitest";

import { claimOf, classClaimOf } from "../src/components/lesion_claim";
import type { LesionClass } from "../src/geometry/labels";
import type { Enhancement } from "../src/server/enhancement";
import type { Statement } from "../src/server/review";
import type { Lesion } from "../src/server/types";
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
