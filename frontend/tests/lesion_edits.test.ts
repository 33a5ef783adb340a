import { beforeEach, describe, expect, it } from "vitest";

import type { LabelVolume } from "../src/geometry/labels";
import type { StudyChanges } from "../src/server/longitudinal";
import type { Lesion, SliceStack } from "../src/server/types";
import { useAdvice } from "../src/state/advice";
import { useComparison } from "../src/state/comparison";
import type { Drafting } from "../src/state/drafting";
import { editNow } from "../src/state/editing";
import { measuredLesions } from "../src/state/measured_lesions";
import { usePanes } from "../src/state/panes";
import { readNow } from "../src/state/reading";
import { WorkingCopy } from "../src/state/working_copy";
import { strokesOf } from "../src/tools/brushing";
import type { CommandContext, Room } from "../src/tools/command";
import { commandOf, commandOfKey } from "../src/tools/commands";
import { confirmLesion, refuteLesion } from "../src/tools/lesion_edits";

/** One slice of one row of voxels of 1 mm³. */
const AFFINE = [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
const START = "1110002200000000000000";
const slices = { affine: AFFINE, window: { center: 50, width: 100 } } as unknown as SliceStack;

let copy: WorkingCopy;
let isReader: boolean;
let isSeen: boolean;
/** What else the page says of the draft. */
let also: Partial<Drafting>;

/** What the page gives commands, on a working copy that nobody saves. */
function context(): CommandContext {
  const { labels, statements } = copy;
  const lesions: readonly Lesion[] = measuredLesions({ labels, affine: AFFINE, statements, known: [], countingRule: "" }).lesions;
  const drafting = {
    labels, statements, lesions, canEdit: isReader, canUndo: copy.canUndo, canRedo: copy.canRedo,
    edit: (edit: Parameters<Drafting["edit"]>[0]) => void copy.edit(edit),
    undo: () => void copy.undo(), redo: () => void copy.redo(),
    extendStroke: (piece: Parameters<Drafting["extendStroke"]>[0]) => copy.extendStroke(piece),
    endStroke: (saying: NonNullable<Parameters<Drafting["endStroke"]>[0]>) => void copy.endStroke(saying),
    cancelStroke: () => copy.cancelStroke(),
    ...also,
  } as unknown as Drafting;
  return { reading: readNow(), stack: isSeen ? ({} as CommandContext["stack"]) : null, slices, lesions, drafting, room: {} as Room };
}

const press = (key: string) => commandOfKey(key)?.run(context());
const labelsNow = () => copy.labels.voxels.join("");
const saidNow = () => copy.statements.map(({ kind, lesion_class, evidence, reason, anchor }) => [kind, lesion_class, evidence ?? reason, anchor[2]]);
const volume = (text: string): LabelVolume => ({ shape: [1, 1, text.length], voxels: Uint8Array.from(text, Number) });
const question = () => {
  const asked = editNow().question;
  if (!asked) throw new Error("a question is open");
  return asked;
};

beforeEach(() => {
  copy = new WorkingCopy({ labels: volume(START), statements: [] });
  isReader = true;
  isSeen = true;
  also = {};
  readNow().open(1, 0);
  editNow().point(null);
  editNow().chooseTool("none");
  editNow().resize(1);
  useAdvice.setState({ text: "" });
});

describe("a key", () => {
  it("acts on the chosen lesion", () => {
    readNow().selectLesion(1);
    press("t");

    expect([labelsNow(), saidNow()]).toEqual(["2220002200000000000000", [["reclassified", "active", "", 1]]]);
  });

  it("acts on the lesion at the pointer when none is chosen, a little beside it too", () => {
    editNow().point([0, 0, 9]);
    press("t");

    expect(labelsNow()).toBe("1110001100000000000000");
  });

  it("says what to do when there is neither, and to whom may not correct", () => {
    press("t");
    expect(useAdvice.getState().text).toContain("Choose a lesion with N");
    isReader = false;
    readNow().selectLesion(1);
    press("t");
    expect(useAdvice.getState().text).toContain("may read this study");
    expect(labelsNow()).toBe(START);
  });
});

describe("nothing is corrected", () => {
  beforeEach(() => readNow().selectLesion(1));

  it("while the slices are not on the screen, be it by key, by undoing, or by an answer", () => {
    press("t");
    isSeen = false;
    for (const key of ["t", "Delete", "c", "x", "Ctrl+z", "Ctrl+y", "d", "g"]) press(key);
    refuteLesion(context(), Uint32Array.of(0, 1, 2), "vessel");

    expect([labelsNow(), editNow().question, editNow().tool]).toEqual(["2220002200000000000000", null, "none"]);
    expect(useAdvice.getState().text).toBe("The slices are not shown, and nothing is corrected unseen.");
  });

  it("while the draft is on its way", () => {
    [isReader, also] = [false, { isAwaited: true }];
    press("Delete");

    expect([labelsNow(), useAdvice.getState().text]).toEqual([START, "The marks and their draft are still on their way."]);
  });

  it("beside a draft that is out of sight", () => {
    [isReader, also] = [false, { aside: { series: "another", canBeShown: true }, canDiscard: true }];
    press("Delete");

    expect([labelsNow(), useAdvice.getState().text]).toEqual([START, "The study has a draft elsewhere; the line above the slices says how to go on."]);
  });
});

describe("a painting in place of the marks", () => {
  const COMPARED = "The comparison of versions is put away, so that the slices show what you correct.";
  const CHANGED = "The changes since the prior are put away, so that the slices show what you correct.";
  const shown = () => [usePanes.getState().isChangeView, useComparison.getState().after];
  beforeEach(() => {
    usePanes.setState({ isChangeView: false, changes: {} as StudyChanges });
    useComparison.getState().stop();
  });

  it("is put away by a tool that is chosen", () => {
    usePanes.getState().showChanges(true);
    press("e");

    expect([shown(), useAdvice.getState().text]).toEqual([[false, null], CHANGED]);
  });

  it("is put away by a stroke, when it came after the tool", () => {
    press("d");
    useComparison.getState().compare("first", "second");
    strokesOf(context).begin([0, 0, 14]);

    expect([shown(), useAdvice.getState().text]).toEqual([[false, null], COMPARED]);
  });

  it("stays with who may not correct", () => {
    isReader = false;
    usePanes.getState().showChanges(true);
    for (const key of ["d", "g", "t"]) press(key);

    expect(shown()).toEqual([true, null]);
  });
});

describe("a class that is turned", () => {
  it("back says nothing any more", () => {
    readNow().selectLesion(1);
    press("t");
    press("t");

    expect([labelsNow(), saidNow()]).toEqual([START, []]);
    press("Ctrl+z");
    expect(saidNow()).toEqual([["reclassified", "active", "", 1]]);
  });
});

describe("a question", () => {
  it("is answered with what a confirmation rests on; another answer takes its place", () => {
    readNow().selectLesion(1);
    press("c");
    confirmLesion(context(), question().lesion, "prior");
    confirmLesion(context(), question().lesion, "post_gadolinium");

    expect([labelsNow(), saidNow()]).toEqual([START, [["confirmed", "inactive", "post_gadolinium", 1]]]);
  });

  it("is answered with why there is no lesion, and the next one is chosen", () => {
    readNow().selectLesion(1);
    press("x");
    refuteLesion(context(), question().lesion, "vessel");

    expect([labelsNow(), saidNow()]).toEqual(["0000002200000000000000", [["false_positive", "inactive", "vessel", 1]]]);
    expect(readNow().selectedLesion).toBe(2);
  });
});

describe("lesions", () => {
  it("are joined with the nearest, and the class is that of most of it", () => {
    readNow().selectLesion(1);
    commandOf("lesion.join").run(context());

    expect(labelsNow()).toBe("1111111100000000000000");
  });

  it("are deleted without a word about them", () => {
    readNow().selectLesion(2);
    press("Delete");

    expect([labelsNow(), saidNow()]).toEqual(["1110000000000000000000", []]);
  });
});

describe("a stroke", () => {
  const strokes = strokesOf(context);

  it("of a brush is one step, and says that a lesion was added where none was", () => {
    press("d");
    strokes.begin([0, 0, 14]);
    strokes.extend([[0, 0, 15], [0, 0, 16]]);
    strokes.end();

    expect([labelsNow(), saidNow()]).toEqual(["1110002200000022200000", [["added", "active", "", 15]]]);
    press("Ctrl+z");
    expect([labelsNow(), saidNow()]).toEqual([START, []]);
    press("Ctrl+Shift+z");
    expect(labelsNow()).toBe("1110002200000022200000");
  });

  it("that makes a lesion larger says nothing", () => {
    press("d");
    strokes.begin([0, 0, 8]);
    strokes.end();

    expect([labelsNow(), saidNow()]).toEqual(["1110002220000000000000", []]);
  });

  it("of the eraser, and one that is cancelled", () => {
    press("e");
    strokes.begin([0, 0, 1]);
    strokes.end();
    expect(labelsNow()).toBe("1010002200000000000000");
    strokes.begin([0, 0, 0]);
    strokes.cancel();
    expect(labelsNow()).toBe("1010002200000000000000");
  });

  it("across a lesion splits it", () => {
    press("k");
    strokes.begin([0, 0, 1]);
    strokes.extend([[0, 0, 1]]);
    strokes.end();

    expect(labelsNow()).toBe("1010002200000000000000");
  });

  it("leaves the pointer to the viewer while no tool is chosen", () => {
    expect(strokes.cursor()).toBeNull();
    press("d");
    expect(strokes.cursor()).toEqual({ diameterMm: 1, kind: "active", hasTrail: false });
    press("d");
    expect(strokes.cursor()?.kind).toBe("inactive");
    press("Escape");
    expect(strokes.cursor()).toBeNull();
  });
});
