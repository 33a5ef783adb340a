import { create, type StoreApi, type UseBoundStore } from "zustand";

import type { GrayWindow } from "../geometry/windowing";

/** What one pane shows: one stack, one slice, one window. */
export interface PaneReading {
  readonly sliceCount: number;
  readonly sliceIndex: number;
  /** The slice on the screen, which follows `sliceIndex` once its pixels are here; -1 before the first. */
  readonly drawnSlice: number;
  /** What the pane draws; null before the first slice. */
  readonly window: GrayWindow | null;
  readonly isInverted: boolean;
  /** The place that a linked pane shows lies before the first or after the last slice of this one. */
  readonly isBeyond: boolean;
  open(sliceCount: number, sliceIndex: number): void;
  goTo(sliceIndex: number): void;
  /** Shows the slice for a place that another pane shows. */
  follow(sliceIndex: number, isBeyond: boolean): void;
  step(slices: number): void;
  /** Told by the pane: a slice reached the screen. */
  showSlice(drawnSlice: number): void;
  showWindow(window: GrayWindow): void;
  showInverted(isInverted: boolean): void;
}

type Set = (change: Partial<PaneReading> | ((now: PaneReading) => Partial<PaneReading>)) => void;

export const clamp = (value: number, lowest: number, highest: number) => Math.min(highest, Math.max(lowest, value));

const within = (sliceIndex: number, sliceCount: number) => clamp(Math.round(sliceIndex), 0, Math.max(0, sliceCount - 1));

/** The part of a store that one pane is. */
export function paneReading(set: Set): PaneReading {
  return {
    sliceCount: 0,
    sliceIndex: 0,
    drawnSlice: -1,
    window: null,
    isInverted: false,
    isBeyond: false,
    open: (sliceCount, sliceIndex) =>
      set({ sliceCount, sliceIndex: within(sliceIndex, sliceCount), drawnSlice: -1, window: null, isInverted: false, isBeyond: false }),
    goTo: (sliceIndex) => set(({ sliceCount }) => ({ sliceIndex: within(sliceIndex, sliceCount), isBeyond: false })),
    follow: (sliceIndex, isBeyond) => set(({ sliceCount }) => ({ sliceIndex: within(sliceIndex, sliceCount), isBeyond })),
    step: (slices) => set(({ sliceCount, sliceIndex }) => ({ sliceIndex: within(sliceIndex + slices, sliceCount), isBeyond: false })),
    showSlice: (drawnSlice) => set({ drawnSlice }),
    // Told with every slice, though it seldom changes.
    showWindow: (window) => set((now) => (now.window?.center === window.center && now.window.width === window.width ? now : { window })),
    showInverted: (isInverted) => set({ isInverted }),
  };
}

export type PaneStore = UseBoundStore<StoreApi<PaneReading>>;

export function createPaneStore(): PaneStore {
  return create<PaneReading>()((set) => paneReading(set));
}
