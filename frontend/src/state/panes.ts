import { create } from "zustand";

import { type Affine, type Point3 } from "../geometry/affine";
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
  readonly hangable: Hangable;
  /** What is on the screen now. */
  readonly layout: Layout;
  readonly areThumbnailsShown: boolean;
  /** Forgets what belonged to another study. */
  begin(study: string): void;
  askLayout(layout: Layout | null): void;
  activate(pane: PaneId): void;
  choosePrior(study: string): void;
  chooseLink(mode: LinkMode): void;
  link(pane: PaneId, link: Affine | null): void;
  point(cursor: PaneCursor | null): void;
  offer(hangable: Hangable): void;
  hang(layout: Layout): void;
  toggleThumbnails(): void;
}

const KEPT_KEY = "plaqueview.panes.1";

interface Kept {
  readonly askedLayout: Layout | null;
  readonly areThumbnailsShown: boolean;
}

/** What this browser kept of an earlier study. */
function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT_KEY) ?? "{}") as Partial<Kept>;
    const askedLayout = LAYOUTS.find((layout) => layout === found.askedLayout) ?? null;
    return { askedLayout, areThumbnailsShown: found.areThumbnailsShown ?? false };
  } catch {
    return { askedLayout: null, areThumbnailsShown: false };
  }
}

const NOTHING: Hangable = { hasPrior: false, hasPostContrast: false, planesProblem: null };

export const usePanes = create<Panes>()((set) => ({
  ...kept(),
  study: null,
  activePane: "current",
  chosenPrior: null,
  linkMode: "position",
  links: {},
  cursor: null,
  hangable: NOTHING,
  layout: "single",
  begin: (study) => set((now) => (now.study === study ? {} : { study, activePane: "current", chosenPrior: null, linkMode: "position", links: {}, cursor: null })),
  askLayout: (askedLayout) => set({ askedLayout, activePane: "current", cursor: null }),
  activate: (activePane) => set({ activePane }),
  choosePrior: (chosenPrior) => set({ chosenPrior, links: {}, linkMode: "position" }),
  chooseLink: (linkMode) => set({ linkMode }),
  link: (pane, link) => set(({ links }) => ({ links: { ...links, [pane]: link } })),
  point: (cursor) => set({ cursor }),
  offer: (hangable) => set({ hangable }),
  hang: (layout) => set({ layout, activePane: "current", cursor: null }),
  toggleThumbnails: () => set(({ areThumbnailsShown }) => ({ areThumbnailsShown: !areThumbnailsShown })),
}));

usePanes.subscribe(({ askedLayout, areThumbnailsShown }, before) => {
  if (askedLayout === before.askedLayout && areThumbnailsShown === before.areThumbnailsShown) return;
  localStorage.setItem(KEPT_KEY, JSON.stringify({ askedLayout, areThumbnailsShown } satisfies Kept));
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
