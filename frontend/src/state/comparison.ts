import { create } from "zustand";

/** The two versions that are compared, the earlier first; `after` is null while only one is chosen. */
interface Comparison {
  readonly before: string | null;
  readonly after: string | null;
  choose(version: string): void;
  compare(before: string, after: string): void;
  stop(): void;
}

export const useComparison = create<Comparison>()((set) => ({
  before: null,
  after: null,
  choose: (before) => set({ before, after: null }),
  compare: (before, after) => set({ before, after }),
  stop: () => set({ before: null, after: null }),
}));
