import { toVoxel, toWorld, type Affine, type Point3 } from "../geometry/affine";
import { cutAt, IDENTITY, linkBetween, type Grid } from "../geometry/registration";
import { PANES, paneStore, usePanes, type PaneId } from "../state/panes";
import { openStack, useOpenPanes } from "./open_panes";
import type { ReadingStack } from "./reading_stack";

let isFollowing = false;

/** From a position of the study to that of the pane; null while the pane goes alone. */
function linkOf(pane: PaneId): Affine | null {
  return pane === "current" ? IDENTITY : (usePanes.getState().links[pane] ?? null);
}

/** Calls for every other pane that goes with this one, with the link from this one to it; a follower leads nobody. */
function forFollowers(leader: PaneId, follow: (pane: PaneId, stack: ReadingStack, link: Affine) => void): void {
  const from = linkOf(leader);
  if (isFollowing || !from) return;
  isFollowing = true;
  for (const pane of PANES) {
    const [to, stack] = [linkOf(pane), openStack(pane)];
    if (pane !== leader && to && stack) follow(pane, stack, linkBetween(from, to));
  }
  isFollowing = false;
}

/** The position in the middle of a pane, on the slice that it is told to show, drawn or not yet. */
function focusOf(pane: PaneId, stack: ReadingStack): Point3 {
  const [, row, column] = toVoxel(stack.grid.affine, stack.view.focus);
  return toWorld(stack.grid.affine, [paneStore(pane).getState().sliceIndex, row, column]);
}

/** Every linked pane shows the slice at the position in the middle of this pane. */
export function followSlice(leader: PaneId): void {
  const stack = openStack(leader);
  if (!stack) return;
  const focus = focusOf(leader, stack);
  forFollowers(leader, (pane, follower, link) => showCut(pane, follower, link, focus));
}

/** The slice at which a pane opens that will go with the study's own. */
export function firstSliceOf(grid: Grid, link: Affine | null): number | null {
  const stack = openStack("current");
  return stack && link ? cutAt(grid, link, focusOf("current", stack)).sliceIndex : null;
}

/** Every linked pane is moved and zoomed like this one. */
export function followView(leader: PaneId): void {
  const stack = openStack(leader);
  if (!stack || stack.drawnSlice < 0) return;
  const focus = focusOf(leader, stack);
  const { mmPerPixel } = stack.view;
  forFollowers(leader, (_, follower, link) => {
    if (follower.drawnSlice < 0) return;
    const { row, column } = cutAt(follower.grid, link, focus);
    follower.look({ focus: toWorld(follower.grid.affine, [follower.drawnSlice, row, column]), mmPerPixel });
  });
}

/** Shows a position of the study in the panes that are linked with it: their slices, with nothing moved or zoomed. */
export function showBeside(position: Point3): void {
  for (const pane of PANES) {
    const [link, stack] = [linkOf(pane), openStack(pane)];
    if (pane !== "current" && link && stack) whileFollowing(() => showCut(pane, stack, link, position));
  }
}

function showCut(pane: PaneId, { grid }: ReadingStack, link: Affine, position: Point3): void {
  const { sliceIndex, isCovered } = cutAt(grid, link, position);
  paneStore(pane).getState().follow(sliceIndex, !isCovered);
}

function whileFollowing(change: () => void): void {
  isFollowing = true;
  change();
  isFollowing = false;
}

/** Panes follow each other until the function is called that this returns. */
export function keepPanesTogether(): () => void {
  const unsubscribes = PANES.map((pane) =>
    paneStore(pane).subscribe((now, before) => {
      if (now.sliceIndex !== before.sliceIndex && now.sliceCount === before.sliceCount) followSlice(pane);
    }),
  );
  const unlink = usePanes.subscribe(({ links }, before) => {
    if (links === before.links) return;
    followSlice("current");
    followView("current");
  });
  const unopen = useOpenPanes.subscribe(() => followView("current"));
  return () => [...unsubscribes, unlink, unopen].forEach((unsubscribe) => unsubscribe());
}
