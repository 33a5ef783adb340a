import type { GrayWindow } from "../geometry/windowing";

/** The window of a stack over all its slices: Cornerstone draws each new one in it, but takes it to be in its own. */
export class KeptWindow {
  #window: GrayWindow | null = null;
  #isForgotten = false;

  keep(window: GrayWindow): void {
    this.#window = window;
  }

  /** Another slice was put into the viewport. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** What the viewport has to be told before a drag begins from it; null once it was told, until there is another slice. */
  recall(): GrayWindow | null {
    if (!this.#isForgotten) return null;
    this.#isForgotten = false;
    return this.#window;
  }
}
