import { create } from "zustand";

import { usePanes, type PaneId } from "../state/panes";
import type { ReadingStack } from "./reading_stack";

interface OpenPanes {
  readonly stacks: Readonly<Partial<Record<PaneId, ReadingStack>>>;
}

/** The stacks that are drawn now, by pane. */
export const useOpenPanes = create<OpenPanes>()(() => ({ stacks: {} }));

export function openPane(pane: PaneId, stack: ReadingStack): void {
  useOpenPanes.setState(({ stacks }) => ({ stacks: { ...stacks, [pane]: stack } }));
}

/** The pane has no stack any more, unless another one was opened in it meanwhile. */
export function closePane(pane: PaneId, stack: ReadingStack): void {
  useOpenPanes.setState(({ stacks }) => {
    const { [pane]: open, ...others } = stacks;
    return { stacks: open === stack ? others : stacks };
  });
}

export function openStack(pane: PaneId): ReadingStack | null {
  return useOpenPanes.getState().stacks[pane] ?? null;
}

/** The stack that keys act on; null while its pane is not drawn. */
export function activeStack(): ReadingStack | null {
  return openStack(usePanes.getState().activePane);
}
