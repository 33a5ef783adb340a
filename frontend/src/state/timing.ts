/** When the viewer became useful, in ms since navigation; read by the benchmark from `window.plaqueview`. */
export interface ViewerTiming {
  firstSliceDrawnAt: number | null;
  overlayDrawnAt: number | null;
  allSlicesAt: number | null;
  /** From the last sample of a brush to the frame that showed it, in ms. */
  strokeMs: number | null;
}

declare global {
  interface Window {
    plaqueview: ViewerTiming;
  }
}

const NOTHING_YET: ViewerTiming = { firstSliceDrawnAt: null, overlayDrawnAt: null, allSlicesAt: null, strokeMs: null };

const FIRST_SLICE = "plaqueview:first-slice";

/** Calls back once, in the frame after the one that showed the first slice; the function that this returns calls it off. */
export function onFirstSlice(listener: () => void): () => void {
  const calledOff = new AbortController();
  const afterFrame = () => requestAnimationFrame(() => !calledOff.signal.aborted && listener());
  window.addEventListener(FIRST_SLICE, afterFrame, { once: true, signal: calledOff.signal });
  return () => calledOff.abort();
}

export function resetTiming(): void {
  window.plaqueview = { ...NOTHING_YET };
}

/** Keeps the first time only. */
export function markOnce(event: Exclude<keyof ViewerTiming, "strokeMs">): void {
  if (window.plaqueview[event] !== null) return;
  window.plaqueview[event] = performance.mark(`plaqueview:${event}`).startTime;
  if (event === "firstSliceDrawnAt") window.dispatchEvent(new Event(FIRST_SLICE));
}

/** Tells how long a brush took from a sample of the pointer to pixels: until after the next frame was painted. */
export function markStroke(sampledAt: number): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      window.plaqueview.strokeMs = performance.measure("plaqueview:strokeMs", { start: sampledAt, end: performance.now() }).duration;
      port1.close();
    }, { once: true });
    port1.start();
    port2.postMessage(null);
  });
}

resetTiming();
