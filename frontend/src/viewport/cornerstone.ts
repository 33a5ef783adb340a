import { init, type Types } from "@cornerstonejs/core";

import { registerFrameLoader } from "./frame_loader";

let isStarted = false;

/** Cornerstone is ready, with one WebGL context for each pane that the reading room can show. */
export function startCornerstone(): void {
  if (isStarted) return;
  isStarted = true;
  init({ rendering: { webGlContextCount: 2 } } as Types.Cornerstone3DConfig);
  registerFrameLoader();
}
