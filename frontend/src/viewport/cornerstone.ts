import { init, type Types } from "@cornerstonejs/core";

import { registerFrameLoader } from "./frame_loader";

let isStarted = false;

/** Cornerstone is ready. Panes share one WebGL context: each further one costs a third of a second where no graphics card is. */
export function startCornerstone(): void {
  if (isStarted) return;
  isStarted = true;
  init({ rendering: { webGlContextCount: 1 } } as Types.Cornerstone3DConfig);
  registerFrameLoader();
}
