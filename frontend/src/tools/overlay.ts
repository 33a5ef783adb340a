import type { Command } from "./command";

/** A key held longer than this only looked below the overlay; a shorter press turns it on or off. */
const HOLD_MS = 250;

export const OVERLAY_COMMANDS: readonly Command[] = [
  { id: "overlay.active", group: "Overlay", title: "Active lesions on or off", keys: ["a"], run: ({ reading }) => reading.toggleClass("active") },
  { id: "overlay.inactive", group: "Overlay", title: "Inactive lesions on or off", keys: ["i"], run: ({ reading }) => reading.toggleClass("inactive") },
  {
    id: "overlay.all", group: "Overlay", title: "All lesions on or off; hold to look below", keys: ["o"],
    run: ({ reading }) => reading.holdOverlay(true),
    release: ({ reading }, heldMs) => {
      reading.holdOverlay(false);
      if (heldMs < HOLD_MS) reading.changeOverlay({ isShown: !reading.overlay.isShown });
    },
  },
  { id: "overlay.style", group: "Overlay", title: "Fill and outline, outline, fill", keys: ["f"], run: ({ reading }) => reading.nextStyle() },
  {
    id: "overlay.brain", group: "Overlay", title: "Brain mask on or off", keys: ["b"],
    run: ({ reading }) => reading.changeOverlay({ isBrainShown: !reading.overlay.isBrainShown }),
  },
  {
    id: "overlay.heat", group: "Overlay", title: "Probability as a heat map on or off", keys: ["h"],
    run: ({ reading }) => reading.changeOverlay({ isHeatShown: !reading.overlay.isHeatShown }),
  },
];
