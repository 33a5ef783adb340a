import { create } from "zustand";

import type { LabelVolume } from "../geometry/labels";

/** The two versions that are compared, the earlier first; `after` is null while only one is chosen. */
interface Comparison {
  readonly before: string | null;
  readonly after: string | null;
  /** What the slices show of the comparison, one of DIFFERENCE for every voxel; null until both versions are here. */
  readonly difference: LabelVolume | null;
  choose(version: string): void;
  compare(before: string, after: string): void;
  showDifference(difference: LabelVolume | null): void;
  stop(): void;
}

export const useComparison = create<Comparison>()((set) => ({
  before: null,
  after: null,
  difference: null,
  choose: (before) => set({ before, after: null, difference: null }),
  compare: (before, after) => set({ before, after, difference: null }),
  showDifference: (difference) => set({ difference }),
  stop: () => set({ before: null, after: null, difference: null }),
}));
