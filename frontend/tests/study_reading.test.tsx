// @vitest-environment happy-dom
import { QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Annotation, SliceStack, StudyDetail } from "../src/server/types";
import type { FeedEvent } from "../src/server/feed";
import { ProblemError } from "../src/server/problem";
import { feed, useLiveStudy } from "../src/state/live";
import { queryClient } from "../src/state/queries";
import { useStudyReading, type StudyReading } from "../src/state/study_reading";

const edge = vi.hoisted(() => ({ answer: (_what: string, answer: unknown): Promise<unknown> => Promise.resolve(answer) }));

vi.mock("../src/server/endpoints", async (original) => ({
  ...(await original<object>()),
  fetchMask: () => edge.answer("mask", { shape: [1, 1, 3], voxels: Uint8Array.from([0, 1, 2]) }),
  fetchLesions: () => edge.answer("lesions", [{ number: 1 }]),
  fetchAnnotation: () => edge.answer("annotation", ANNOTATION),
  fetchStudy: () => edge.answer("study", STUDY),
}));

const ANNOTATION = { id: "version", series: "series", counts_by_slice: { active: [0], inactive: [1] } } as unknown as Annotation;
const STUDY = { id: "study", series: [], annotation: ANNOTATION, study_instance_uid: "1" } as unknown as StudyDetail;

let root: Root;
let reading: StudyReading;
let tell: (event: FeedEvent) => void;
let failing: string[];
let refusal: ProblemError;
let asked: string[];

function Page({ onDraw }: { onDraw: (drawn: StudyReading) => void }) {
  useLiveStudy("study");
  onDraw(useStudyReading("study", null));
  return null;
}

const turn = () => act(() => new Promise((resolve) => setTimeout(resolve, 5)));

/** Nothing is fetched any more, and the page has heard of it: the queries tell their observers a turn later than they end. */
async function settled(): Promise<void> {
  await vi.waitFor(async () => {
    await turn();
    expect(queryClient.isFetching()).toBe(0);
  });
  await turn();
}

async function show(): Promise<void> {
  await act(async () => root.render(<QueryClientProvider client={queryClient}><Page onDraw={(drawn) => (reading = drawn)} /></QueryClientProvider>));
  await settled();
}

const seen = () => [reading.labels?.voxels.join(""), reading.lesions?.length, reading.marksError?.message, reading.resultError?.message];

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  failing = [];
  refusal = new ProblemError(409, "Not now", "Slow down.", "conflict", []);
  asked = [];
  edge.answer = (what, answer) => {
    asked.push(what);
    return failing.includes(what) ? Promise.reject(refusal) : Promise.resolve(answer);
  };
  vi.spyOn(feed, "subscribe").mockImplementation((_, listener) => {
    tell = listener;
    return () => undefined;
  });
  queryClient.clear();
  queryClient.setQueryData(["study", "study"], STUDY);
  queryClient.setQueryData(["slices", "series"], { shape: [1, 1, 3], slices: [{}] } as unknown as SliceStack);
  document.body.innerHTML = "<div></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("marks that did not come are told, and asked for again", async () => {
  failing = ["mask"];
  await show();
  expect(seen()).toEqual([undefined, 1, "Slow down.", undefined]);

  failing = [];
  await act(async () => reading.retryResult());
  await settled();
  expect(seen()).toEqual(["012", 1, undefined, undefined]);
});

test("marks that come only after a wait that the server asks for are told as missing meanwhile", async () => {
  failing = ["mask"];
  refusal = new ProblemError(429, "Too many", "Slow down.", "throttled", [], 0.3);
  await act(async () => root.render(<QueryClientProvider client={queryClient}><Page onDraw={(drawn) => (reading = drawn)} /></QueryClientProvider>));
  await vi.waitFor(() => expect(seen()).toEqual([undefined, 1, "Slow down.", undefined]));
  expect(queryClient.isFetching()).toBe(1);

  failing = [];
  await settled();
  expect(seen()).toEqual(["012", 1, undefined, undefined]);
});

test("lesions that did not come are told, and asked for again", async () => {
  failing = ["lesions"];
  await show();
  expect(seen()).toEqual(["012", undefined, undefined, "Slow down."]);

  failing = [];
  asked = [];
  await act(async () => reading.retryResult());
  await settled();
  expect(seen()).toEqual(["012", 1, undefined, undefined]);
  expect(asked).toEqual(["lesions"]);
});

test("what failed is asked for again once the connection is back, and what is here stays", async () => {
  failing = ["mask"];
  await show();
  failing = [];

  await act(async () => tell({ type: "caught_up" }));
  await settled();
  expect(seen()).toEqual(["012", 1, undefined, undefined]);

  asked = [];
  failing = ["lesions"];
  await act(async () => tell({ type: "caught_up" }));
  await settled();
  expect(seen()).toEqual(["012", 1, undefined, undefined]);
  expect(asked.toSorted()).toEqual(["annotation", "lesions", "study"]);
});
