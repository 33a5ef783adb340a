import { init, RenderingEngine, type Types } from "@cornerstonejs/core";

import { registerFrameLoader } from "./frame_loader";

let isStarted = false;

/** Cornerstone is ready. */
export function startCornerstone(): void {
  if (isStarted) return;
  isStarted = true;
  init({ rendering: { webGlContextCount: 1 } } as Types.Cornerstone3DConfig);
  registerFrameLoader();
}

export const ENGINE_ID = "reading-room";

let engine: RenderingEngine | null = null;

/** The one engine of all panes: they share its WebGL context, of which each further one costs a third of a second where no graphics card is. */
export function sharedEngine(): RenderingEngine {
  startCornerstone();
  return (engine ??= new RenderingEngine(ENGINE_ID));
}
