import { init, RenderingEngine } from "@cornerstonejs/core";

import { registerFrameLoader } from "./frame_loader";

let isStarted = false;

/** Cornerstone is ready. */
export function startCornerstone(): void {
  if (isStarted) return;
  isStarted = true;
  init();
  registerFrameLoader();
}

export const ENGINE_ID = "reading-room";

let engine: RenderingEngine | null = null;

/** The one engine of all panes. */
export function sharedEngine(): RenderingEngine {
  startCornerstone();
  return (engine ??= new RenderingEngine(ENGINE_ID));
}
