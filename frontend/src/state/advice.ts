import { create } from "zustand";

/** One line for the reader: what to do next, or why nothing happened. */
interface Advice {
  readonly text: string;
  /** Another for each line, so that the same words are told anew. */
  readonly count: number;
}

export const useAdvice = create<Advice>()(() => ({ text: "", count: 0 }));

export function advise(text: string): void {
  useAdvice.setState(({ count }) => ({ text, count: count + 1 }));
}
