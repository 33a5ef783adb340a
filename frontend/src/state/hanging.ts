/** Which panes are on the screen: the study alone, beside its prior, with the series after contrast too, or in three planes. */
export const LAYOUTS = ["single", "prior", "contrast", "three", "planes"] as const;

export type Layout = (typeof LAYOUTS)[number];

/** What a study has to hang. */
export interface Hangable {
  readonly hasPrior: boolean;
  readonly hasPostContrast: boolean;
  /** Null when the stack can be cut in three planes, else why not. */
  readonly planesProblem: string | null;
}

/** Narrower than this, a prior beside the study leaves neither of them room enough to be read. */
const SIDE_BY_SIDE_PX = 680;

/** Why a layout cannot be shown for this study; null when it can. */
export function problemOfLayout(layout: Layout, { hasPrior, hasPostContrast, planesProblem }: Hangable): string | null {
  if ((layout === "prior" || layout === "three") && !hasPrior) return "This patient has no earlier study that was read.";
  if ((layout === "contrast" || layout === "three") && !hasPostContrast) return "This study has no T1 after contrast.";
  return layout === "planes" ? planesProblem : null;
}

/**
 * The layout that was asked for where the study has what it needs; else what the protocol hangs: the prior beside the
 * study, or without one its T1 after contrast, where there is room for it.
 */
export function layoutOf(asked: Layout | null, hangable: Hangable, widthPx: number): Layout {
  if (asked && problemOfLayout(asked, hangable) === null) return asked;
  if (asked === "three" && hangable.hasPrior) return "prior";
  if (asked === "three" && hangable.hasPostContrast) return "contrast";
  if (widthPx < SIDE_BY_SIDE_PX) return "single";
  if (hangable.hasPrior) return "prior";
  return hangable.hasPostContrast ? "contrast" : "single";
}
