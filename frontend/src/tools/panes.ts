import { problemOfLayout, type Layout } from "../state/hanging";
import { LINK_MODES, usePanes } from "../state/panes";
import type { Command } from "./command";

const LAYOUT_KEYS: readonly { layout: Layout; key: string; title: string }[] = [
  { layout: "single", key: "5", title: "This study alone" },
  { layout: "prior", key: "6", title: "Prior beside it" },
  { layout: "contrast", key: "7", title: "T1 after contrast beside it" },
  { layout: "three", key: "8", title: "Prior and T1 after contrast beside it" },
  { layout: "planes", key: "9", title: "Three planes" },
];

/** Asks for a layout, unless the study lacks what it needs. */
function hang(layout: Layout): void {
  const { hangable, askLayout } = usePanes.getState();
  if (problemOfLayout(layout, hangable) === null) askLayout(layout);
}

function nextLink(): void {
  const { linkMode, chooseLink } = usePanes.getState();
  chooseLink(LINK_MODES[(LINK_MODES.indexOf(linkMode) + 1) % LINK_MODES.length] ?? "position");
}

/** Round the priors that the study page offers, from the newest to the oldest. */
function nextPrior(): void {
  const { priors, chosenPrior, choosePrior } = usePanes.getState();
  const next = priors[(Math.max(0, priors.indexOf(chosenPrior ?? "")) + 1) % Math.max(1, priors.length)];
  if (next) choosePrior(next);
}

export const PANE_COMMANDS: readonly Command[] = [
  ...LAYOUT_KEYS.map<Command>(({ layout, key, title }) => ({ id: `panes.${layout}`, group: "Panes", title, keys: [key], run: () => hang(layout) })),
  { id: "panes.link", group: "Panes", title: "Linked by position, slice by slice, or not", keys: ["l"], run: nextLink },
  { id: "panes.next_prior", group: "Panes", title: "Next older prior", keys: ["Shift+o"], run: nextPrior },
  {
    id: "panes.thumbnails", group: "Panes", title: "Strip of slices", keys: ["Shift+k"], run: () => usePanes.getState().toggleThumbnails(),
  },
];
