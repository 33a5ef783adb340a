import { beforeEach, describe, expect, it } from "vitest";

import type { Lesion } from "../src/server/types";
import { middleSliceOf } from "../src/state/anchors";
import { DEFAULT_OVERLAY, readNow, useReading } from "../src/state/reading";
import type { CommandContext, Room } from "../src/tools/command";
import { commandOf, commandOfKey, COMMANDS } from "../src/tools/commands";
import { wheelSteps } from "../src/tools/scroll";

const lesion = (number: number, slices: number[], centre: number): Lesion => ({
  id: String(number), number, lesion_class: "active", volume_ml: 1, longest_axis_mm: 5, in_plane_axis_mm: 5, voxel_count: 9, centroid_mm: [0, 0, 0],
  centroid_index: [centre, 0, 0], slice_indices: slices, mean_probability: null, evidence: null, region: "not_determined",
});

const LESIONS = [lesion(1, [3, 4, 5], 4.2), lesion(2, [8], 8)];

const NOTHING = () => undefined;
const ROOM: Room = {
  openNextUnread: NOTHING, openWorklist: NOTHING, showKeys: NOTHING, toggleStudyPanel: NOTHING, togglePart: NOTHING, askReview: NOTHING,
  askComment: NOTHING,
};

const context = (): CommandContext => ({ reading: readNow(), stack: null, slices: null, lesions: LESIONS, drafting: null, room: ROOM });
const press = (key: string) => commandOfKey(key)?.run(context());

beforeEach(() => {
  useReading.setState({ overlay: DEFAULT_OVERLAY });
  readNow().open(10, 4);
});

describe("slices", () => {
  it("stop at both ends", () => {
    press("PageUp");
    expect(readNow().sliceIndex).toBe(0);
    press("End");
    press("ArrowDown");
    expect(readNow().sliceIndex).toBe(9);
  });

  it("move one by a notch of the wheel and by the distance of a trackpad", () => {
    const stepsOf = wheelSteps();
    const distances = [120, -3, -30, -30, 20, 59, 2];

    expect(distances.map((deltaY) => stepsOf({ deltaY, deltaMode: 0 }) + 0)).toEqual([1, 0, 0, -1, 0, 1, 0]);
  });
});

describe("lesions", () => {
  it("are gone through by key, round and round, each on its middle slice", () => {
    const visited = ["n", "n", "n", "p"].map((key) => {
      press(key);
      return [readNow().selectedLesion, readNow().sliceIndex];
    });

    expect(visited).toEqual([[1, 4], [2, 8], [1, 4], [2, 8]]);
  });

  it("begin with the last one backwards", () => {
    press("p");
    expect(readNow().selectedLesion).toBe(2);
  });

  it("are shown on a slice of their own when the centroid lies between them", () => {
    expect(middleSliceOf(lesion(1, [2, 6], 4.1))).toBe(6);
  });
});

describe("the overlay", () => {
  it("is switched by class", () => {
    press("A");

    expect(readNow().overlay).toMatchObject({ isShown: true, shownClasses: { active: false, inactive: true } });
  });

  it("shows one class alone when it is switched on from nothing", () => {
    readNow().changeOverlay({ isShown: false });
    press("a");

    expect(readNow().overlay).toMatchObject({ isShown: true, shownClasses: { active: true, inactive: false } });
  });

  it("is hidden while its key is held, and switched by a short press", () => {
    const all = commandOf("overlay.all");
    all.run(context());
    expect(readNow().isOverlayHeld).toBe(true);

    all.release?.(context(), 900);
    expect([readNow().isOverlayHeld, readNow().overlay.isShown]).toEqual([false, true]);

    all.run(context());
    all.release?.(context(), 100);
    expect([readNow().isOverlayHeld, readNow().overlay.isShown]).toEqual([false, false]);
  });
});

describe("commands", () => {
  it("share no key", () => {
    const keys = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("share no name", () => {
    expect(new Set(COMMANDS.map(({ id }) => id)).size).toBe(COMMANDS.length);
  });

  it("do nothing to a stack that is not open", () => {
    for (const key of ["1", "0", "r", "+"]) expect(() => press(key)).not.toThrow();
  });
});
