import { create } from "zustand";

import { type Affine, type Point3 } from "../geometry/affine";
import type { StudyChanges } from "../server/longitudinal";
import { LAYOUTS, type Hangable, type Layout } from "./hanging";
import { createPaneStore, type PaneReading, type PaneStore } from "./pane_reading";
import { useReading } from "./reading";

/** The study's own stack, the prior's, and the study's series after contrast. */
export const PANES = ["current", "prior", "post_contrast"] as const;

export type PaneId = (typeof PANES)[number];

/**
 * How panes go together: by patient position (registered where there is a registration), by the number of slices
 * scrolled since the reader chose so, or not at all.
 */
export const LINK_MODES = ["position", "slices", "free"] as const;

export type LinkMode = (typeof LINK_MODES)[number];

/** The patient position under the pointer, in mm of the pane that it is in. */
export interface PaneCursor {
  readonly pane: PaneId;
  readonly world: Point3;
}

interface Panes {
  readonly study: string | null;
  /** The layout that this reader asked for; null leaves it to the hanging protocol. */
  readonly askedLayout: Layout | null;
  readonly activePane: PaneId;
  /** The prior that the reader chose; null is the newest. */
  readonly chosenPrior: string | null;
  readonly linkMode: LinkMode;
  /** From a position of the study to that of the pane; a pane without one goes alone. */
  readonly links: Readonly<Partial<Record<PaneId, Affine | null>>>;
  readonly cursor: PaneCursor | null;
  /** Every slice of the study is in memory: what is fetched beside it may begin. */
  readonly areSlicesHere: boolean;
  /** Row and column where the three planes meet; the slice is the one that is shown. Null is the middle. */
  readonly crossing: readonly [row: number, column: number] | null;
  /** Lesions are painted by what became of them since the prior. */
  readonly isChangeView: boolean;
  /** The change that the reader chose, by its place in the server's list. */
  readonly chosenChange: number | null;
  readonly hangable: Hangable;
  /** Those to choose from, the newest first. */
  readonly priors: readonly string[];
  /** What became of the prior's lesions, for keys. */
  readonly changes: StudyChanges | null;
  /** What is on the screen now. */
  readonly layout: Layout;
  readonly areThumbnailsShown: boolean;
  /** The panel at the right is there; without it the slices have its place. */
  readonly isResultShown: boolean;
  /** Forgets what belonged to another study. */
  begin(study: string): void;
  askLayout(layout: Layout | null): void;
  activate(pane: PaneId): void;
  choosePrior(study: string): void;
  chooseLink(mode: LinkMode): void;
  link(pane: PaneId, link: Affine | null): void;
  point(cursor: PaneCursor | null): void;
  tellSlicesHere(areSlicesHere: boolean): void;
  cross(row: number, column: number): void;
  showChanges(isChangeView: boolean): void;
  chooseChange(place: number | null): void;
  offer(hangable: Hangable, priors: readonly string[]): void;
  compare(changes: StudyChanges | null): void;
  hang(layout: Layout): void;
  toggleThumbnails(): void;
  showResult(isResultShown: boolean): void;
}

const KEPT_KEY = "plaqueview.panes.1";

interface Kept {
  readonly askedLayout: Layout | null;
  readonly areThumbnailsShown: boolean;
  readonly isResultShown: boolean;
}

/** What this browser kept of an earlier study. */
function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT_KEY) ?? "{}") as Partial<Kept>;
    const askedLayout = LAYOUTS.find((layout) => layout === found.askedLayout) ?? null;
    return { askedLayout, areThumbnailsShown: found.areThumbnailsShown ?? false, isResultShown: found.isResultShown ?? true };
  } catch {
    return { askedLayout: null, areThumbnailsShown: false, isResultShown: true };
  }
}

/** What belongs to one study. */
const FRESH = {
  activePane: "current", chosenPrior: null, linkMode: "position", links: {}, cursor: null, crossing: null, areSlicesHere: false, isChangeView: false, chosenChange: null,
} as const satisfies Partial<Panes>;

const NOTHING: Hangable = { hasPrior: false, hasPostContrast: false, planesProblem: null };

export const usePanes = create<Panes>()((set) => ({
  ...kept(),
  study: null,
  ...FRESH,
  hangable: NOTHING,
  priors: [],
  changes: null,
  layout: "single",
  begin: (study) => set((now) => (now.study === study ? {} : { ...FRESH, study })),
  askLayout: (askedLayout) => set({ askedLayout, activePane: "current", cursor: null }),
  activate: (activePane) => set({ activePane }),
  choosePrior: (chosenPrior) => set({ chosenPrior, links: {}, linkMode: "position", chosenChange: null }),
  chooseLink: (linkMode) => set({ linkMode }),
  link: (pane, link) => set(({ links }) => ({ links: { ...links, [pane]: link } })),
  point: (cursor) => set({ cursor }),
  tellSlicesHere: (areSlicesHere) => set({ areSlicesHere }),
  cross: (row, column) => set({ crossing: [row, column] }),
  showChanges: (isChangeView) => set({ isChangeView, chosenChange: null }),
  chooseChange: (chosenChange) => set({ chosenChange }),
  offer: (hangable, priors) => set({ hangable, priors }),
  compare: (changes) => set({ changes }),
  hang: (layout) => set({ layout, activePane: "current", cursor: null }),
  toggleThumbnails: () => set(({ areThumbnailsShown }) => ({ areThumbnailsShown: !areThumbnailsShown })),
  showResult: (isResultShown) => set({ isResultShown }),
}));

usePanes.subscribe(({ askedLayout, areThumbnailsShown, isResultShown }, before) => {
  if (askedLayout === before.askedLayout && areThumbnailsShown === before.areThumbnailsShown && isResultShown === before.isResultShown) return;
  localStorage.setItem(KEPT_KEY, JSON.stringify({ askedLayout, areThumbnailsShown, isResultShown } satisfies Kept));
});

const STORES: Readonly<Record<PaneId, PaneStore>> = {
  current: useReading as unknown as PaneStore,
  prior: createPaneStore(),
  post_contrast: createPaneStore(),
};

/** What a pane shows; the study's own pane is the reading state. */
export function paneStore(pane: PaneId): PaneStore {
  return STORES[pane];
}

/** The pane that keys act on, at this moment. */
export function activePaneNow(): PaneReading {
  return STORES[usePanes.getState().activePane].getState();
}

/** A lesion that is selected anew is what is looked at, whatever change was chosen before. */
useReading.subscribe(({ selectedLesion }, before) => {
  if (selectedLesion !== before.selectedLesion) usePanes.getState().chooseChange(null);
});
