import { useEffect, type RefObject } from "react";

import { readNow } from "../state/reading";
import type { ReadingStack } from "../viewport/reading_stack";
import { wheelSteps } from "./scroll";

/** The wheel moves through the slices while it is above the element; with Control it zooms the slice, not the page. */
export function useSliceWheel(element: RefObject<HTMLElement | null>, stack: ReadingStack | null): void {
  useEffect(() => {
    const stepsOf = wheelSteps();
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      if (event.ctrlKey) stack?.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      else readNow().step(stepsOf(event));
    };
    const target = element.current;
    target?.addEventListener("wheel", onWheel, { passive: false });
    return () => target?.removeEventListener("wheel", onWheel);
  }, [element, stack]);
}
