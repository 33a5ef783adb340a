// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider, type UseQueryResult } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { CommentPanel } from "../src/components/comment_panel";
import { AsideNote, MarksNote } from "../src/components/marks_note";
import { ReviewPanel } from "../src/components/review_panel";
import { UptakeNote } from "../src/components/uptake_note";
import { VersionPanel } from "../src/components/version_panel";
import type { Enhancement } from "../src/server/enhancement";
import type { StudyComment, Version } from "../src/server/review";
import type { Annotation, Me, StudyDetail } from "../src/server/types";
import type { Drafting } from "../src/state/drafting";
import { queryClient } from "../src/state/queries";

let root: Root;
const refetch = vi.fn();
const nothing = () => undefined;

const here = <Data,>(data: Data) => ({ data, error: null, refetch }) as unknown as UseQueryResult<Data>;
const pending = <Data,>() => ({ data: undefined, error: null, refetch }) as unknown as UseQueryResult<Data>;
const failed = <Data,>() => ({ data: undefined, error: new Error("Slow down."), refetch }) as unknown as UseQueryResult<Data>;

const ME = { actions: ["annotation.edit"] } as unknown as Me;
const ANNOTATION = { id: "first", version: 1, series: "series", state: "predicted", author: null, model: null } as unknown as Annotation;
const STUDY = { id: "study", annotation: ANNOTATION, series: [{ id: "other", series_description: "T2 FLAIR" }] } as unknown as StudyDetail;
const version = (number: number, series: string) => ({
  id: `version ${number}`, version: number, series, state: "predicted", author: null, model: null, created: "2026-11-22T10:00:00Z", counting_rule: "Rule.",
  lesion_counts: { active: 0, inactive: 0 },
}) as unknown as Version;

async function show(page: ReactNode): Promise<void> {
  await act(async () => root.render(<MantineProvider><QueryClientProvider client={queryClient}>{page}</QueryClientProvider></MantineProvider>));
}

const text = () => document.body.textContent ?? "";
const button = (name: string) => [...document.querySelectorAll("button")].find((one) => one.textContent === name || one.getAttribute("aria-label") === name);
const press = (name: string) => act(async () => button(name)?.click());
const loading = () => [...document.querySelectorAll("[role=status][aria-label]")].map((one) => one.getAttribute("aria-label"));

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  // A field that grows with its text asks when the fonts are here.
  Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });
  refetch.mockReset();
  document.body.innerHTML = "<div></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
});

const comments = (query: UseQueryResult<StudyComment[]>) => (
  <CommentPanel study="study" annotation={null} comments={query} pin={null} canComment={false} lesionAt={() => null} onShow={nothing} />
);
const versions = (query: UseQueryResult<Version[]>, onRestore: ((version: Version) => void) | null = null) => (
  <VersionPanel
    study="study" me={ME} versions={query} current="version 3" base={{ id: "version 2", series: "series" }} comparison={null} error={null}
    onRestore={onRestore} onShowSlice={nothing}
  />
);
const review = (query: UseQueryResult<Version[]>) => <ReviewPanel study={STUDY} annotation={ANNOTATION} versions={query} me={ME} submitting={null} />;

test.each([
  ["comments", comments(pending()), comments(failed()), "Comments", "Nobody has commented"],
  ["versions", versions(pending()), versions(failed()), "Versions", "No version yet"],
  ["history", review(pending()), review(failed()), "History", "No version was submitted"],
])("%s that are not here are told as on their way or as failed, never as none", async (name, whilePending, whileFailed, title, none) => {
  await show(whilePending);
  expect([loading(), text().includes(none), text().includes("(0)")]).toEqual([[`Loading ${name}`], false, false]);

  await show(whileFailed);
  expect([text().includes("Slow down."), text().includes(none), text().includes("(0)"), text().includes(title)]).toEqual([true, false, false, true]);
  await press("Try again");
  expect(refetch).toHaveBeenCalledOnce();
});

test.each([
  [comments(here([])), ["Comments (0)", "Nobody has commented on this study."]],
  [versions(here([])), ["Versions (0)", "No version yet."]],
  [review(here([])), ["No version was submitted yet.", "No reader has said anything about it yet."]],
])("where there are none that is said", async (page, said) => {
  await show(page);

  expect(said.filter((words) => !text().includes(words))).toEqual([]);
});

test("nothing is said about who has read a study before its versions are here", async () => {
  await show(review(failed()));

  expect(document.querySelector("[data-testid=review-status]")?.textContent).toBe("Version 1 is a prediction of unknown.");
});

test.each([["first", true], ["later", false]])("a version is approved while it is the study's own: %s", async (current, isOffered) => {
  const submitted = { ...ANNOTATION, state: "submitted" } as Annotation;
  const study = { ...STUDY, annotation: { ...ANNOTATION, id: current } } as unknown as StudyDetail;
  const reviewer = { actions: ["annotation.review"] } as unknown as Me;
  await show(<ReviewPanel study={study} annotation={submitted} versions={here([])} me={reviewer} submitting={null} />);

  expect(button("Approve") !== undefined).toBe(isOffered);
});

test("only versions of the series that is shown are restored, and not the one that is shown", async () => {
  const restore = vi.fn();
  await show(versions(here([version(1, "series"), version(2, "series"), version(3, "other")]), restore));

  const names = [...document.querySelectorAll("[data-testid=restore]")].map((one) => one.getAttribute("aria-label"));
  expect(names).toEqual(["Restore version 1"]);
  const lines = [...document.querySelectorAll("[data-testid=version]")].map((one) => [one.textContent?.includes("current"), one.textContent?.includes("of another series")]);
  expect(lines).toEqual([[true, true], [false, false], [false, false]]);
});

test("marks that did not come are told above the slices, and asked for again", async () => {
  await show(<MarksNote of="the prior" reading={{ marksError: null, retryResult: refetch }} />);
  expect(document.querySelector("[role=alert]")).toBeNull();

  await show(<MarksNote of="the prior" reading={{ marksError: new Error("Slow down."), retryResult: refetch }} />);
  expect(document.querySelector("[role=alert] span")?.textContent).toBe("The marks of the prior are not shown. Slow down.");
  await press("Try again");
  expect(refetch).toHaveBeenCalledOnce();
});

const aside = (told: Partial<Drafting>, onShowSeries = vi.fn()) => {
  const drafting = { aside: { series: "other", canBeShown: true }, canDiscard: true, annotation: { version: 2 }, discard: vi.fn(), ...told } as unknown as Drafting;
  return <AsideNote study={STUDY} drafting={drafting} onShowSeries={onShowSeries} />;
};

test("a draft on another series is told in one line, with both ways on", async () => {
  const showSeries = vi.fn();
  await show(aside({}, showSeries));
  expect(document.querySelector("[data-testid=draft-aside] span")?.textContent).toBe(
    "The draft of this study was drawn on “T2 FLAIR” and is kept there. Show that series to go on with it, or discard it to correct version 2 instead.",
  );

  await press("Show its series");
  expect(showSeries).toHaveBeenCalledWith("other");
  expect(button("Discard the draft …")).toBeDefined();
});

test("who only reads is told where it is", async () => {
  await show(aside({ canDiscard: false }));

  expect(document.querySelector("[data-testid=draft-aside] span")?.textContent).toBe(
    "The draft of this study was drawn on “T2 FLAIR” and is kept there. Show that series to go on with it.",
  );
  expect(button("Discard the draft …")).toBeUndefined();
});

test("a draft that no series can show can be discarded", async () => {
  await show(aside({ aside: { series: "other", canBeShown: false } }));

  expect(document.querySelector("[data-testid=draft-aside] span")?.textContent).toBe(
    "The draft of this study is from before its series changed. It is kept, but can no longer be shown; discard it to correct version 2 instead.",
  );
  expect(button("Show its series")).toBeUndefined();
});

test("a refusal to look for uptake again is told", async () => {
  vi.stubGlobal("fetch", async () => Response.json({ title: "Refused", detail: "The worker is away." }, { status: 409 }));
  const enhancement = { study: "study", state: "failed", reason: "", rule: null, suggestion: "" } as unknown as Enhancement;
  await show(<UptakeNote enhancement={enhancement} takers={[]} mayAsk onShow={nothing} />);

  await press("Try again");

  await vi.waitFor(() => expect(document.querySelector("[role=alert]")?.textContent).toBe("The worker is away."));
});
