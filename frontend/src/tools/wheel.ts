import { useEffect, type RefObject } from "react";

import { paneStore, usePanes, type PaneId } from "../state/panes";
import { openStack } from "../viewport/open_panes";
import { wheelSteps } from "./scroll";

/** The wheel moves through the slices of the pane that it is above; with Control it zooms the slice, not the page. */
export function useSliceWheel(element: RefObject<HTMLElement | null>, pane: PaneId): void {
  useEffect(() => {
    const stepsOf = wheelSteps();
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      usePanes.getState().activate(pane);
      if (event.ctrlKey) openStack(pane)?.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      else paneStore(pane).getState().step(stepsOf(event));
    };
    const target = element.current;
    target?.addEventListener("wheel", onWheel, { passive: false });
    return () => target?.removeEventListener("wheel", onWheel);
  }, [element, pane]);
}
