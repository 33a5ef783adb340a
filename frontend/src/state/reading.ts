import { create } from "zustand";

import type { LesionClass } from "../geometry/labels";
import { clamp, paneReading, type PaneReading } from "./pane_reading";

export type OverlayStyle = "both" | "outline" | "fill";
/** What the primary button draws on the slice. */
export const MEASURES = ["ruler", "angle", "probe", "ellipse", "rectangle"] as const;

export type Measure = (typeof MEASURES)[number];

/** What a drag with the primary button does. */
export type DragTool = "window" | "zoom" | "pan" | "scroll" | Measure;

export interface OverlaySettings {
  readonly isShown: boolean;
  readonly shownClasses: Readonly<Record<LesionClass, boolean>>;
  /** 0 to 1, by class */
  readonly opacity: Readonly<Record<LesionClass, number>>;
  readonly style: OverlayStyle;
  readonly isBrainShown: boolean;
  /** The probability of plaque as a heat map, and from which probability on, 0 to 1. */
  readonly isHeatShown: boolean;
  readonly heatThreshold: number;
}

const OVERLAY_STYLES: readonly OverlayStyle[] = ["both", "outline", "fill"];

export const DEFAULT_OVERLAY: OverlaySettings = {
  isShown: true,
  shownClasses: { active: true, inactive: true },
  opacity: { active: 0.7, inactive: 0.7 },
  style: "both",
  isBrainShown: false,
  isHeatShown: false,
  heatThreshold: 0.3,
};

/** What one reader looks at now: the pane of the study's own stack, and what holds for every pane. Overlay settings outlive the study. */
export interface Reading extends PaneReading {
  readonly selectedLesion: number | null;
  readonly dragTool: DragTool;
  /** True while a key hides the overlay. */
  readonly isOverlayHeld: boolean;
  readonly overlay: OverlaySettings;
  selectLesion(number: number | null): void;
  chooseDragTool(tool: DragTool): void;
  holdOverlay(isHeld: boolean): void;
  changeOverlay(change: Partial<OverlaySettings>): void;
  toggleClass(lesionClass: LesionClass): void;
  setOpacity(lesionClass: LesionClass, opacity: number): void;
  nextStyle(): void;
}

/** What is on the screen while the overlay is off: a class that is switched on then comes alone. */
const NO_CLASS = { active: false, inactive: false } as const;

const OVERLAY_KEY = "plaqueview.overlay.1";

/** What this browser kept; settings that it does not know yet are the defaults. */
function keptOverlay(): OverlaySettings {
  try {
    return { ...DEFAULT_OVERLAY, ...(JSON.parse(localStorage.getItem(OVERLAY_KEY) ?? "{}") as Partial<OverlaySettings>) };
  } catch {
    return DEFAULT_OVERLAY;
  }
}

export const useReading = create<Reading>()((set) => ({
  ...paneReading(set),
  selectedLesion: null,
  dragTool: "window",
  isOverlayHeld: false,
  overlay: keptOverlay(),
  open: (sliceCount, sliceIndex) => {
    paneReading(set).open(sliceCount, sliceIndex);
    set({ selectedLesion: null, isOverlayHeld: false });
  },
  selectLesion: (selectedLesion) => set({ selectedLesion }),
  chooseDragTool: (dragTool) => set({ dragTool }),
  holdOverlay: (isOverlayHeld) => set({ isOverlayHeld }),
  changeOverlay: (change) => set(({ overlay }) => ({ overlay: { ...overlay, ...change } })),
  toggleClass: (lesionClass) =>
    set(({ overlay }) => {
      const before = overlay.isShown ? overlay.shownClasses : NO_CLASS;
      const shownClasses = { ...before, [lesionClass]: !before[lesionClass] };
      return { overlay: { ...overlay, isShown: true, shownClasses } };
    }),
  setOpacity: (lesionClass, opacity) =>
    set(({ overlay }) => ({ overlay: { ...overlay, opacity: { ...overlay.opacity, [lesionClass]: clamp(opacity, 0.1, 1) } } })),
  nextStyle: () =>
    set(({ overlay }) => {
      const next = (OVERLAY_STYLES.indexOf(overlay.style) + 1) % OVERLAY_STYLES.length;
      return { overlay: { ...overlay, style: OVERLAY_STYLES[next] ?? "both" } };
    }),
}));

/** Overlay settings outlive the study; they are written when they change, not with every slice. */
useReading.subscribe(({ overlay }, before) => {
  if (overlay !== before.overlay) localStorage.setItem(OVERLAY_KEY, JSON.stringify(overlay));
});

/** The reading state at this moment, for gestures and keys: slices and window are those of the study's own pane. */
export function readNow(): Reading {
  return useReading.getState();
}
