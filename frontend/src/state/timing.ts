/** When the viewer became useful, in ms since navigation; read by the benchmark from `window.plaqueview`. */
export interface ViewerTiming {
  firstSliceDrawnAt: number | null;
  overlayDrawnAt: number | null;
  allSlicesAt: number | null;
}

declare global {
  interface Window {
    plaqueview: ViewerTiming;
  }
}

const NOTHING_YET: ViewerTiming = { firstSliceDrawnAt: null, overlayDrawnAt: null, allSlicesAt: null };

export function resetTiming(): void {
  window.plaqueview = { ...NOTHING_YET };
}

/** Keeps the first time only. */
export function markOnce(event: keyof ViewerTiming): void {
  if (window.plaqueview[event] !== null) return;
  window.plaqueview[event] = performance.mark(`plaqueview:${event}`).startTime;
}

resetTiming();
