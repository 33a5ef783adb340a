// @vitest-environment happy-dom
import "fake-indexeddb/auto";

import { QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { NO_CHANGE } from "../src/geometry/edits/voxel_edit";
import type { LabelVolume } from "../src/geometry/labels";
import { encodeMask } from "../src/geometry/mask_codec";
import type { Annotation, Lesion, StudyDetail } from "../src/server/types";
import { isOfOneSeries } from "../src/state/change_view";
import { useComparison } from "../src/state/comparison";
import { useDrafting, type Drafting } from "../src/state/drafting";
import type { Edit } from "../src/state/history";
import { usePanes } from "../src/state/panes";
import { queryClient } from "../src/state/queries";
import { readNow } from "../src/state/reading";
import type { StudyReading } from "../src/state/study_reading";

const AFFINE = [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];

/** Labels of one value on a grid of as many slices, rows and columns. */
const filled = (shape: LabelVolume["shape"], value: number): LabelVolume => ({ shape, voxels: new Uint8Array(shape[0] * shape[1] * shape[2]).fill(value) });
const GRIDS = { first: [1, 2, 2], second: [3, 3, 3] } as const;

const annotation = (version: number, series: keyof typeof GRIDS, inactive: number) => ({
  id: `version ${version}`, version, series, statements: [], author: null, warnings: [], counting_rule: "", state: "predicted",
  lesion_counts: { active: 0, inactive }, lesion_volumes_ml: { active: 0, inactive }, counts_by_slice: { active: [], inactive: [] },
}) as unknown as Annotation;

const FIRST = annotation(1, "first", 1);
const SECOND = annotation(2, "second", 2);
const AGAIN = annotation(3, "first", 3);
const DRAFT = {
  id: "draft", study: "study", series: "first", base: FIRST.id, base_version: 1, revision: 4, author: "me", statements: [], contradictions: [], lesions: [],
  counting_rule: "", lesion_counts: { active: 5, inactive: 0 }, lesion_volumes_ml: { active: 5, inactive: 0 }, counts_by_slice: { active: [], inactive: [] },
};

let root: Root;
let drafting: Drafting;
let study = 0;
let draft: typeof DRAFT | null;

/** The study page as the server's current version has it, on one of its series. */
function Page({ id, current, shownSeries, onDraw }: { id: string; current: Annotation; shownSeries: keyof typeof GRIDS; onDraw: (drawn: Drafting) => void }) {
  const isOverlayOnScreen = current.series === shownSeries;
  const reading = {
    shownSeries, isOverlayOnScreen, annotation: current, lesions: [{ number: 1 } as Lesion], labels: isOverlayOnScreen ? filled(GRIDS[shownSeries], 1) : null, brain: null,
    slices: { data: { shape: GRIDS[shownSeries], affine: AFFINE } }, marksError: null, resultError: null, retryResult: () => undefined,
  } as unknown as StudyReading;
  onDraw(useDrafting({ id } as StudyDetail, reading));
  return null;
}

async function show(current: Annotation, shownSeries: keyof typeof GRIDS): Promise<void> {
  const page = <Page id={`study ${study}`} current={current} shownSeries={shownSeries} onDraw={(drawn) => (drafting = drawn)} />;
  await act(async () => root.render(<QueryClientProvider client={queryClient}>{page}</QueryClientProvider>));
  await vi.waitFor(async () => {
    await act(async () => new Promise((resolve) => setTimeout(resolve, 5)));
    expect([drafting.canDiscard, drafting.isAwaited]).toEqual([true, false]);
  });
}

const seen = () => ({
  version: drafting.annotation?.version, counts: drafting.annotation?.lesion_counts, shape: drafting.labels?.shape, label: drafting.labels?.voxels[0],
  lesionCount: drafting.lesions?.length, isOverlayOnScreen: drafting.reading.isOverlayOnScreen, canEdit: drafting.canEdit, aside: drafting.aside,
});

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("WebSocket", class { close() { /* nothing is open */ } addEventListener() { /* nothing is said */ } });
  vi.stubGlobal("fetch", async (url: string) => {
    if (!url.includes("/draft")) throw new Error(`nothing is asked of ${url}`);
    if (!draft) return Response.json({ title: "Not found" }, { status: 404 });
    if (url.endsWith("/mask")) return new Response(Uint8Array.from(encodeMask(filled(GRIDS.first, 2))), { headers: { ETag: '"4"' } });
    return Response.json(draft);
  });
  queryClient.setQueryData(["me"], { username: "me", actions: ["annotation.edit"] });
  for (const version of [FIRST, SECOND, AGAIN]) {
    queryClient.setQueryData(["annotation", version.id], version);
    queryClient.setQueryData(["mask", version.id], filled(GRIDS[version.series as keyof typeof GRIDS], 1));
  }
  draft = DRAFT;
  study += 1;
  document.body.innerHTML = "<div></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
});

test("a draft of another series is kept out of sight, and the series shows its own version", async () => {
  await show(SECOND, "second");

  expect(seen()).toEqual({
    version: 2, counts: { active: 0, inactive: 2 }, shape: [3, 3, 3], label: 1, lesionCount: 1, isOverlayOnScreen: true, canEdit: false,
    aside: { series: "first", canBeShown: true },
  });
  expect([drafting.hasDraft, drafting.save, drafting.revision]).toEqual([true, "saved", 4]);
});

test("on its own series the draft is gone on with, as what its base is", async () => {
  await show(SECOND, "first");

  expect(seen()).toEqual({
    version: 1, counts: { active: 5, inactive: 0 }, shape: [1, 2, 2], label: 2, lesionCount: 0, isOverlayOnScreen: true, canEdit: true, aside: null,
  });
});

test("what was found in the study's version is not told of a draft of another series", () => {
  const study = { annotation: SECOND } as unknown as StudyDetail;

  expect([isOfOneSeries(study, FIRST), isOfOneSeries(study, SECOND), isOfOneSeries(study, null)]).toEqual([false, true, true]);
});

test("a draft that is older than the version of its series is shown as what its base is", async () => {
  await show(AGAIN, "first");

  expect(seen()).toEqual({
    version: 1, counts: { active: 5, inactive: 0 }, shape: [1, 2, 2], label: 2, lesionCount: 0, isOverlayOnScreen: true, canEdit: true, aside: null,
  });
});

test("a draft from before its series had as many slices is kept out of sight as well", async () => {
  draft = { ...DRAFT, series: "second" };
  await show(SECOND, "second");

  expect([seen().shape, seen().canEdit, seen().aside]).toEqual([[3, 3, 3], false, { series: "second", canBeShown: false }]);
});

test("without a draft the version itself is corrected", async () => {
  draft = null;
  await show(SECOND, "second");

  expect(seen()).toEqual({
    version: 2, counts: { active: 0, inactive: 2 }, shape: [3, 3, 3], label: 1, lesionCount: 1, isOverlayOnScreen: true, canEdit: true, aside: null,
  });
});

test("a version of another series is not restored into the draft", async () => {
  await show(SECOND, "first");

  await expect(drafting.startFrom(SECOND.id)).rejects.toThrow("It is a version of another series");
  expect([drafting.labels?.voxels[0], drafting.isDirty]).toEqual([2, false]);
});

const turned = (voxel: number): Edit => ({ voxels: { indices: Uint32Array.of(voxel), before: Uint8Array.of(2), after: Uint8Array.of(1) }, added: [], removed: [] });

test.each([
  ["edited", (now: Drafting) => now.edit(turned(0))],
  ["undone", (now: Drafting) => now.undo()],
  ["done again", (now: Drafting) => now.redo()],
])("where something is %s the marks are what the slices show", async (_, correct) => {
  await show(FIRST, "first");
  usePanes.getState().showChanges(true);
  useComparison.getState().compare("one", "other");

  act(() => correct(drafting));

  expect([usePanes.getState().isChangeView, useComparison.getState().after]).toEqual([false, null]);
});

test("what is only said of a lesion leaves the slices as they are", async () => {
  await show(FIRST, "first");
  usePanes.getState().showChanges(true);

  act(() => drafting.edit({ voxels: NO_CHANGE, added: [], removed: [] }));

  expect(usePanes.getState().isChangeView).toBe(true);
});

test("no lesion is chosen in a study that was just opened", async () => {
  readNow().selectLesion(7);
  await show(FIRST, "first");

  expect(readNow().selectedLesion).toBeNull();
});
