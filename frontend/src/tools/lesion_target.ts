import type { Component } from "../geometry/components";
import { indexOf, positionOf, spacingOf, type Spacing } from "../geometry/edits/grid";
import type { LabelVolume } from "../geometry/labels";
import type { Statement } from "../server/review";
import { advise } from "../state/advice";
import type { Drafting } from "../state/drafting";
import { editNow } from "../state/editing";
import { componentAtVoxel, componentOfLesion } from "../state/lesion_identity";
import type { CommandContext } from "./command";

/** What every correction needs: somebody who may correct, labels on the grid of the slices, and the size of a voxel. */
export interface Correctable {
  readonly drafting: Drafting;
  readonly labels: LabelVolume;
  readonly spacing: Spacing;
}

/** Null, and a line that says why, where nothing can be corrected: nothing is while the slices are not on the screen. */
export function correctable({ drafting, slices, stack }: Pick<CommandContext, "drafting" | "slices" | "stack">): Correctable | null {
  if (drafting?.labels && drafting.canEdit && slices && stack) return { drafting, labels: drafting.labels, spacing: spacingOf(slices.affine) };
  advise(refusalOf(drafting));
  return null;
}

function refusalOf(drafting: Drafting | null): string {
  if (drafting?.isAwaited) return "The marks and their draft are still on their way.";
  if (drafting?.aside && drafting.canDiscard) return "The study has a draft elsewhere; the line above the slices says how to go on.";
  if (!drafting?.labels) return "There is nothing to correct until the study is read and its own series is shown.";
  return drafting.canEdit ? "The slices are not shown, and nothing is corrected unseen." : "Your account may read this study, not correct it.";
}

/** How far from the pointer a lesion may be to be meant, in mm. */
const REACH_MM = 3;

/** The lesion that is chosen, else the one below the pointer; null, and a line that says what to do, when there is neither. */
export function targetOf(context: CommandContext, { labels, spacing }: Correctable): Component | null {
  const target = chosenLesion(context, labels) ?? lesionAtPointer(labels, spacing);
  if (!target) advise("Choose a lesion with N, or point at one, then press the key again.");
  return target;
}

export function chosenLesion({ drafting, reading }: Pick<CommandContext, "drafting" | "reading">, labels: LabelVolume): Component | null {
  const lesion = drafting?.lesions?.find(({ number }) => number === reading.selectedLesion);
  return lesion ? componentOfLesion(labels, lesion) : null;
}

/** The lesion below the pointer, or the nearest one on its slice within reach. */
export function lesionAtPointer(labels: LabelVolume, [, rowMm, columnMm]: Spacing): Component | null {
  const { pointer } = editNow();
  const centre = pointer && indexOf(labels.shape, pointer);
  if (centre === null || centre === undefined) return null;
  const [slice, row, column] = positionOf(labels.shape, centre);
  let [nearest, least]: [number | null, number] = [null, Infinity];
  const [rowReach, columnReach] = [Math.ceil(REACH_MM / rowMm), Math.ceil(REACH_MM / columnMm)];
  for (let y = row - rowReach; y <= row + rowReach; y += 1) {
    for (let x = column - columnReach; x <= column + columnReach; x += 1) {
      const index = indexOf(labels.shape, [slice, y, x]);
      const distance = Math.hypot((y - row) * rowMm, (x - column) * columnMm);
      if (index !== null && labels.voxels[index] !== 0 && distance < least && distance <= REACH_MM) [nearest, least] = [index, distance];
    }
  }
  return nearest === null ? null : componentAtVoxel(labels, nearest);
}

/** What was said about a lesion in this draft: statements whose anchor is one of its voxels. */
export function saidOf({ drafting, labels }: Correctable, lesion: Component): Statement[] {
  const isVoxel = new Set(lesion);
  return drafting.statements.filter(({ anchor }) => isVoxel.has(indexOf(labels.shape, anchor) ?? -1));
}
