import { create } from "zustand";

import type { LesionClass } from "../geometry/labels";
import type { GrayWindow } from "../geometry/windowing";

export type OverlayStyle = "both" | "outline" | "fill";
export type DragTool = "window" | "zoom" | "pan" | "scroll";

export interface OverlaySettings {
  readonly isShown: boolean;
  readonly shownClasses: Readonly<Record<LesionClass, boolean>>;
  /** 0 to 1, by class */
  readonly opacity: Readonly<Record<LesionClass, number>>;
  readonly style: OverlayStyle;
  readonly isBrainShown: boolean;
}

const OVERLAY_STYLES: readonly OverlayStyle[] = ["both", "outline", "fill"];

export const DEFAULT_OVERLAY: OverlaySettings = {
  isShown: true,
  shownClasses: { active: true, inactive: true },
  opacity: { active: 0.7, inactive: 0.7 },
  style: "both",
  isBrainShown: false,
};

/** What one reader looks at now: one study, one stack, one slice. Overlay settings outlive the study. */
export interface Reading {
  readonly sliceCount: number;
  readonly sliceIndex: number;
  /** The slice on the screen, which follows `sliceIndex` once its pixels are here; -1 before the first. */
  readonly drawnSlice: number;
  readonly selectedLesion: number | null;
  /** What the viewport draws; null before the first slice. */
  readonly window: GrayWindow | null;
  readonly dragTool: DragTool;
  /** True while a key hides the overlay. */
  readonly isOverlayHeld: boolean;
  readonly overlay: OverlaySettings;
  open(sliceCount: number, sliceIndex: number): void;
  goTo(sliceIndex: number): void;
  /** Told by the viewport: a slice reached the screen, by whatever gesture. */
  showSlice(sliceIndex: number): void;
  step(slices: number): void;
  selectLesion(number: number | null): void;
  showWindow(window: GrayWindow): void;
  chooseDragTool(tool: DragTool): void;
  holdOverlay(isHeld: boolean): void;
  changeOverlay(change: Partial<OverlaySettings>): void;
  toggleClass(lesionClass: LesionClass): void;
  setOpacity(lesionClass: LesionClass, opacity: number): void;
  nextStyle(): void;
}

const clamp = (value: number, lowest: number, highest: number) => Math.min(highest, Math.max(lowest, value));

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
  sliceCount: 0,
  sliceIndex: 0,
  drawnSlice: -1,
  selectedLesion: null,
  window: null,
  dragTool: "window",
  isOverlayHeld: false,
  overlay: keptOverlay(),
  open: (sliceCount, sliceIndex) =>
    set({ sliceCount, sliceIndex: clamp(sliceIndex, 0, sliceCount - 1), drawnSlice: -1, selectedLesion: null, window: null, isOverlayHeld: false }),
  goTo: (sliceIndex) => set(({ sliceCount }) => ({ sliceIndex: clamp(Math.round(sliceIndex), 0, Math.max(0, sliceCount - 1)) })),
  showSlice: (sliceIndex) => set({ sliceIndex, drawnSlice: sliceIndex }),
  step: (slices) =>
    set(({ sliceCount, sliceIndex }) => ({ sliceIndex: clamp(sliceIndex + slices, 0, Math.max(0, sliceCount - 1)) })),
  selectLesion: (selectedLesion) => set({ selectedLesion }),
  showWindow: (window) => set({ window }),
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

/** The reading state at this moment, for gestures and keys. */
export function readNow(): Reading {
  return useReading.getState();
}
