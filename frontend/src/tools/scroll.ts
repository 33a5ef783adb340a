import { activePaneNow } from "../state/panes";
import type { Command } from "./command";

const PAGE = 5;

/** Wheel distance in pixels that moves one slice: one notch of a mouse, a short swipe of a trackpad. */
const WHEEL_STEP_PX = 60;
const LINE_PX = 20;

export const SCROLL_COMMANDS: readonly Command[] = [
  { id: "slice.previous", group: "Slices", title: "Previous slice", keys: ["ArrowUp", "ArrowLeft"], isRepeated: true, run: () => activePaneNow().step(-1) },
  { id: "slice.next", group: "Slices", title: "Next slice", keys: ["ArrowDown", "ArrowRight"], isRepeated: true, run: () => activePaneNow().step(1) },
  { id: "slice.back", group: "Slices", title: `${PAGE} slices back`, keys: ["PageUp"], isRepeated: true, run: () => activePaneNow().step(-PAGE) },
  { id: "slice.forward", group: "Slices", title: `${PAGE} slices forward`, keys: ["PageDown"], isRepeated: true, run: () => activePaneNow().step(PAGE) },
  { id: "slice.first", group: "Slices", title: "First slice", keys: ["Home"], run: () => activePaneNow().goTo(0) },
  { id: "slice.last", group: "Slices", title: "Last slice", keys: ["End"], run: () => activePaneNow().goTo(activePaneNow().sliceCount - 1) },
];

/** Turns wheel events into whole slices: a mouse moves one a notch, a trackpad as far as the fingers do. */
export function wheelSteps(): (event: Pick<WheelEvent, "deltaY" | "deltaMode">) => number {
  let distance = 0;
  return ({ deltaY, deltaMode }) => {
    const pixels = deltaMode === 0 ? deltaY : deltaY * LINE_PX;
    if (Math.abs(pixels) >= WHEEL_STEP_PX) {
      distance = 0;
      return Math.sign(pixels);
    }
    distance = Math.sign(distance) === -Math.sign(pixels) ? pixels : distance + pixels;
    const steps = Math.trunc(distance / WHEEL_STEP_PX);
    distance -= steps * WHEEL_STEP_PX;
    return steps;
  };
}
