import { beforeEach, describe, expect, it } from "vitest";

import { compose, invert, toVoxel, toWorld, type Affine, type Point3 } from "../src/geometry/affine";
import { cutAt, IDENTITY, isScannerShared, linkBetween, offsetLink, relativeLink, type Grid } from "../src/geometry/registration";
import type { Brightening, BrightSpot, ChangeKind, LesionChange, Registration, StudyChanges } from "../src/server/longitudinal";
import { changeByLesion, newestFirst, placesOf, shownChange, shownPrior } from "../src/state/change_view";
import { layoutOf, problemOfLayout, type Hangable } from "../src/state/hanging";
import { linkFor, linkText } from "../src/state/pane_link";
import { activePaneNow, paneStore, usePanes } from "../src/state/panes";
import { readNow } from "../src/state/reading";
import { countOf, shownChanges, voxelsOfRuns } from "../src/state/shown_changes";
import { positionText, TEXT_LINES, valueText } from "../src/viewport/measure_text";

/** Slices 5 mm towards the head, rows 1 mm to the back, columns 1 mm to the left. */
const grid = (shape: Point3, spacing: number, origin: Point3 = [0, 0, 0]): Grid => ({
  affine: [0, 0, 1, origin[0], 0, 1, 0, origin[1], spacing, 0, 0, origin[2], 0, 0, 0, 1], shape,
});

const close = (found: readonly number[], wanted: readonly number[]) => wanted.forEach((value, at) => expect(found[at]).toBeCloseTo(value, 9));

/** 30 degrees about the axis from foot to head, then 4, -2, 7 mm. */
const [COSINE, SINE] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
const RIGID: Affine = [COSINE, -SINE, 0, 4, SINE, COSINE, 0, -2, 0, 0, 1, 7, 0, 0, 0, 1];

describe("a matrix", () => {
  it("is undone by its inverse", () => {
    close(compose(RIGID, invert(RIGID)), IDENTITY);
    const oblique: Affine = [0.2, 0.9, 0.1, 5, -0.3, 0.2, 0.8, -7, 4.6, 0.1, 0.2, 11, 0, 0, 0, 1];
    close(toVoxel(oblique, toWorld(oblique, [3, 40.5, 7])), [3, 40.5, 7]);
  });

  it("of no volume is refused", () => {
    expect(() => invert([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1])).toThrow(RangeError);
  });

  it("does the inner one first", () => {
    const shift: Affine = [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    close(toWorld(compose(RIGID, shift), [0, 0, 0]), [COSINE + 4, SINE - 2, 7]);
  });
});

describe("a link", () => {
  const [study, prior] = [grid([20, 100, 100], 5), grid([41, 100, 100], 2.5, [0, 0, 0])];

  it("by registration cuts the prior at the same place in the patient", () => {
    const position: Point3 = [50, 40, 30];
    const [x, y] = [50 * COSINE - 40 * SINE + 4, 50 * SINE + 40 * COSINE - 2];

    const cut = cutAt(prior, RIGID, position);

    expect(cut.sliceIndex).toBe(15); // 37 mm, 14.8 slices of 2.5 mm
    expect(cut.isCovered).toBe(true);
    close([cut.row, cut.column], [y, x]);
  });

  it("beyond the last slice shows the last slice and says so", () => {
    expect(cutAt(prior, IDENTITY, [0, 0, 140])).toMatchObject({ sliceIndex: 40, isCovered: false });
    expect(cutAt(prior, IDENTITY, [0, 0, -1.2])).toMatchObject({ sliceIndex: 0, isCovered: true });
  });

  it("by relative position takes ends to ends", () => {
    const link = relativeLink(study, prior);
    expect(cutAt(prior, link, toWorld(study.affine, [0, 0, 0]))).toMatchObject({ sliceIndex: 0, row: 0, column: 0 });
    expect(cutAt(prior, link, toWorld(study.affine, [19, 99, 99])).sliceIndex).toBe(40);
  });

  it("by slices keeps the number of slices between the two", () => {
    const link = offsetLink(study, prior, 3);
    expect([4, 5, 6].map((slice) => cutAt(prior, link, toWorld(study.affine, [slice, 0, 0])).sliceIndex)).toEqual([7, 8, 9]);
  });

  it("from the prior back to the study undoes the one to it", () => {
    const back = linkBetween(RIGID, IDENTITY);
    close(toWorld(back, toWorld(RIGID, [12, -3, 40])), [12, -3, 40]);
  });

  it("trusts the scanner only where each volume holds the middle of the other", () => {
    expect(isScannerShared(study, prior)).toBe(true);
    expect(isScannerShared(study, grid([20, 100, 100], 5, [0, 0, 60]))).toBe(false);
  });
});

const registration = (state: Registration["state"], matrix: Affine | null = null): Registration => ({
  id: "r", study: "s", prior: "p", fixed_series: "f", moving_series: "m", state, reason: "", matrix, similarity: null,
});

describe("what a pane is linked by", () => {
  const [study, near, far] = [grid([20, 100, 100], 5), grid([20, 100, 100], 5, [3, 3, 3]), grid([20, 100, 100], 5, [0, 0, 900])];

  it("is the registration once there is one, the scanner or the share of the volume until then", () => {
    expect(linkFor("position", registration("succeeded", RIGID), study, far, 0)).toEqual({ kind: "registered", matrix: RIGID });
    expect(linkFor("position", registration("running"), study, near, 0)).toEqual({ kind: "scanner", matrix: IDENTITY });
    expect(linkFor("position", null, study, far, 0).kind).toBe("relative");
  });

  it("is nothing when the reader said so", () => {
    expect(linkFor("free", registration("succeeded", RIGID), study, near, 0)).toEqual({ kind: "free", matrix: null });
  });

  it("is told with the reason why it is not the registration", () => {
    expect(linkText("registered", registration("succeeded", RIGID))).toBe("Registered");
    expect(linkText("scanner", registration("queued"))).toBe("Registration is queued. Linked by scanner position until then");
    expect(linkText("relative", registration("failed"))).toBe("Registration failed. Linked by relative position");
    expect(linkText("slices", registration("running"))).toBe("Linked slice by slice");
  });
});

describe("the hanging protocol", () => {
  const alone: Hangable = { hasPrior: false, hasPostContrast: false, planesProblem: "Slices are 6.5 mm apart." };
  const followUp: Hangable = { ...alone, hasPrior: true };

  it("hangs the prior beside the study where there is one and room for it", () => {
    expect(layoutOf(null, alone, 1200)).toBe("single");
    expect(layoutOf(null, followUp, 1200)).toBe("prior");
    expect(layoutOf(null, followUp, 620)).toBe("single");
    expect([1200, 620].map((widthPx) => layoutOf(null, { ...alone, hasPostContrast: true }, widthPx))).toEqual(["contrast", "single"]);
  });

  it("keeps what the reader asked for, as far as the study has it", () => {
    expect(layoutOf("single", followUp, 1200)).toBe("single");
    expect(layoutOf("prior", followUp, 620)).toBe("prior");
    expect(layoutOf("three", followUp, 1200)).toBe("prior");
    expect(layoutOf("three", { ...alone, hasPostContrast: true }, 1200)).toBe("contrast");
    expect(layoutOf("planes", followUp, 1200)).toBe("prior");
  });

  it("says why a layout cannot be had", () => {
    expect(problemOfLayout("planes", alone)).toBe("Slices are 6.5 mm apart.");
    expect(problemOfLayout("prior", alone)).toBe("This patient has no earlier study that was read.");
    expect(problemOfLayout("contrast", followUp)).toBe("This study has no T1 after contrast.");
    expect(problemOfLayout("single", alone)).toBeNull();
  });
});

describe("panes", () => {
  beforeEach(() => {
    usePanes.getState().begin("another study");
    usePanes.getState().begin("study");
    readNow().open(20, 5);
    paneStore("prior").getState().open(40, 9);
  });

  it("are moved each by itself, and keys go to the active one", () => {
    usePanes.getState().activate("prior");
    activePaneNow().step(100);

    expect([readNow().sliceIndex, paneStore("prior").getState().sliceIndex]).toEqual([5, 39]);
  });

  it("stay on the slice that they were told to show when an earlier one arrives late", () => {
    readNow().goTo(9);
    readNow().showSlice(7);

    expect([readNow().sliceIndex, readNow().drawnSlice]).toEqual([9, 7]);
  });

  it("say that they follow a place beyond their slices, until they are moved themselves", () => {
    const prior = paneStore("prior").getState();
    prior.follow(39, true);
    expect(paneStore("prior").getState()).toMatchObject({ sliceIndex: 39, isBeyond: true });
    prior.step(-1);
    expect(paneStore("prior").getState()).toMatchObject({ sliceIndex: 38, isBeyond: false });
  });

  it("forget the chosen change when another lesion is selected", () => {
    usePanes.getState().chooseChange(3);
    readNow().selectLesion(2);

    expect(usePanes.getState().chosenChange).toBeNull();
  });
});

const change = (kind: ChangeKind, lesions: number[], prior_lesions: number[]): LesionChange => ({
  change: kind, suggests: kind === "new" || kind === "enlarging" ? "active" : null, lesions, prior_lesions, volume_ml: 1, prior_volume_ml: 1, anchor: [0, 0, 0],
});

const CHANGES: StudyChanges = {
  annotation: "a", prior_annotation: "b", rule: "rule", suggestion: "", protocol: null, counts: { new: 1, enlarging: 1, stable: 0, shrinking: 0, resolved: 1 },
  changes: [change("resolved", [], [4]), change("enlarging", [1, 3], [2]), change("new", [2], [])], brightening: null,
};

describe("what became brighter", () => {
  const spot = (lesions: number[], kind: ChangeKind | null, first: number): BrightSpot => ({
    lesions, change: kind, suggests: "active", volume_ml: 0.03, anchor: [0, 1, 1], runs: [[first, 2], [first + 10, 1]],
  });
  const told: Brightening = { rule: "brighter", suggestion: "look", note: "", without_growth: 2, spots: [spot([2], "new", 0), spot([5], "stable", 3), spot([], null, 30)] };
  const changes: StudyChanges = { ...CHANGES, brightening: told };

  it("stands among the changes where nothing grew, after those of the masks", () => {
    expect(shownChanges(changes).map(({ change: kind, lesions }) => [kind, lesions])).toEqual([
      ["resolved", []], ["enlarging", [1, 3]], ["new", [2]], ["brightened", [5]], ["brightened", []],
    ]);
    expect(placesOf(changes, null)).toEqual([2, 1, 3, 4, 0]);
    expect(placesOf(changes, "brightened")).toEqual([3, 4]);
    expect(shownChange(changes, 4, 2)?.anchor).toEqual([0, 1, 1]);
    expect(shownChange(changes, null, 5)).toBeNull();
  });

  it("has voxels of its own", () => {
    expect(voxelsOfRuns(told.spots[1]?.runs ?? [])).toEqual([3, 4, 13]);
  });

  it("is counted only where it could be looked for", () => {
    expect(countOf(changes, "brightened")).toBe(2);
    expect(countOf({ ...changes, brightening: { ...told, note: "no brain" } }, "brightened")).toBeNull();
    expect(countOf(CHANGES, "brightened")).toBeNull();
  });
});

describe("changes since the prior", () => {
  it("are known for every lesion of the study", () => {
    expect([...changeByLesion(CHANGES)]).toEqual([[1, "enlarging"], [3, "enlarging"], [2, "new"]]);
  });

  it("are gone through from what is new to what resolved", () => {
    expect(placesOf(CHANGES, null)).toEqual([2, 1, 0]);
    expect(placesOf(CHANGES, "stable")).toEqual([]);
  });

  it("follow the selected lesion until one is chosen", () => {
    expect(shownChange(CHANGES, null, 3)?.prior_lesions).toEqual([2]);
    expect(shownChange(CHANGES, 0, 3)?.change).toBe("resolved");
    expect(shownChange(CHANGES, null, null)).toBeNull();
  });

  it("are those since the newest prior unless another one is chosen", () => {
    const priors = [{ id: "old", study_date: "2020-01-01" }, { id: "new", study_date: "2023-01-01" }, { id: "undated", study_date: null }];

    expect(newestFirst(priors).map(({ id }) => id)).toEqual(["new", "old", "undated"]);
    expect([shownPrior(priors, null)?.id, shownPrior(priors, "old")?.id, shownPrior([], null)]).toEqual(["new", "old", null]);
  });
});

describe("the text of a measurement", () => {
  const measured = (stats: object, points: number[][] = []) => ({ cachedStats: { slice: stats }, handles: { points } });

  it("says what was measured in its unit", () => {
    expect(TEXT_LINES.ruler(measured({ length: 12.345 }), "slice")).toEqual(["12.3 mm"]);
    expect(TEXT_LINES.angle(measured({ angle: 89.96 }), "slice")).toEqual(["90.0°"]);
    expect(TEXT_LINES.probe(measured({ value: 214 }, [[-3.25, 40, 12]]), "slice")).toEqual(["Value 214", "R 3.3  P 40.0  H 12.0 mm"]);
    expect(TEXT_LINES.ellipse(measured({ area: 51.26, mean: 210.4, stdDev: 18.31, min: 90, max: 260 }), "slice")).toEqual([
      "51.3 mm²", "Mean 210  SD 18.3", "Min 90.0  Max 260",
    ]);
  });

  it("waits for the value", () => {
    expect(TEXT_LINES.ruler(measured({}), "slice")).toBeUndefined();
    expect(TEXT_LINES.rectangle(measured({ area: 3 }), "slice")).toBeUndefined();
  });

  it("has as many digits as a value needs", () => {
    expect([valueText(1234.6), valueText(-12.34), valueText(0.129)]).toEqual(["1235", "-12.3", "0.13"]);
    expect(positionText([0, -1, -2])).toBe("L 0.0  A 1.0  F 2.0 mm");
  });
});
