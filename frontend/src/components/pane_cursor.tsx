import { useEffect, useRef } from "react";

import { toVoxel, toWorld } from "../geometry/affine";
import { IDENTITY, linkBetween } from "../geometry/registration";
import { usePanes, type PaneId } from "../state/panes";
import { openStack, useOpenPanes } from "../viewport/open_panes";
import styles from "./pane_cursor.module.css";

/** Tells where in the patient the pointer is while it is above the pane, once a frame; ends when the function is called that this returns. */
export function followPointer(element: HTMLElement | null, pane: PaneId): () => void {
  let waiting = 0;
  const stopping = new AbortController();
  const tell = (x: number, y: number) => {
    waiting = 0;
    const stack = openStack(pane);
    if (stack && stack.drawnSlice >= 0) usePanes.getState().point({ pane, world: stack.worldAt([x, y]) });
  };
  const onMove = ({ clientX, clientY, currentTarget }: PointerEvent) => {
    if (waiting || usePanes.getState().layout === "single" || !(currentTarget instanceof Element)) return;
    const { left, top } = currentTarget.getBoundingClientRect();
    waiting = requestAnimationFrame(() => tell(clientX - left, clientY - top));
  };
  const onLeave = () => {
    cancelAnimationFrame(waiting);
    waiting = 0;
    usePanes.getState().point(null);
  };
  element?.addEventListener("pointermove", onMove, { signal: stopping.signal });
  element?.addEventListener("pointerleave", onLeave, { signal: stopping.signal });
  return () => stopping.abort();
}

/** A cross where the pointer of another pane is in the patient; hollow when that place lies off the slice that is shown. */
export function PaneCursor({ pane }: { pane: PaneId }) {
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = () => {
      const found = placeOf(pane);
      if (!mark.current) return;
      mark.current.hidden = found === null;
      if (!found) return;
      mark.current.style.transform = `translate(${found.x}px, ${found.y}px)`;
      mark.current.dataset["off"] = String(!found.isOnSlice);
    };
    return usePanes.subscribe(({ cursor }, before) => cursor !== before.cursor && place());
  }, [pane]);
  return <div ref={mark} className={styles.cursor} data-testid={`cursor-${pane}`} hidden aria-hidden />;
}

function placeOf(pane: PaneId): { x: number; y: number; isOnSlice: boolean } | null {
  const { cursor, links } = usePanes.getState();
  const stack = useOpenPanes.getState().stacks[pane];
  if (!cursor || cursor.pane === pane || !stack || stack.drawnSlice < 0) return null;
  const from = cursor.pane === "current" ? IDENTITY : links[cursor.pane];
  const to = pane === "current" ? IDENTITY : links[pane];
  if (!from || !to) return null;
  const world = toWorld(linkBetween(from, to), cursor.world);
  const [slice] = toVoxel(stack.grid.affine, world);
  const [x, y] = stack.project(world);
  return { x, y, isOnSlice: Math.abs(slice - stack.drawnSlice) <= 0.5 };
}
