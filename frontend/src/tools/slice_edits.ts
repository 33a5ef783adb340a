import { rangeAround, type SlicePoint } from "../geometry/edits/brush";
import { centroidOf, indexOf, type Spacing } from "../geometry/edits/grid";
import { interpolate, patchNear, type Patch } from "../geometry/edits/interpolate";
import { copySlice } from "../geometry/edits/neighbouring_slice";
import { grow, RegionError } from "../geometry/edits/region_grow";
import { isNoChange } from "../geometry/edits/voxel_edit";
import type { Point3 } from "../geometry/affine";
import { LABEL_OF_CLASS, type LabelVolume } from "../geometry/labels";
import { advise } from "../state/advice";
import { editNow } from "../state/editing";
import { intensitiesOf } from "../viewport/intensities";
import { showPlainMarks } from "../state/plain_marks";
import type { Command, CommandContext } from "./command";
import { chosenLesion, correctable, lesionAtPointer, type Correctable } from "./lesion_target";
import { newLesions } from "./new_lesions";

/** A plaque larger than this is none: the region ran out into the tissue around it. */
const MOST_GROWN_ML = 20;

/** Labels what is as bright as a voxel and joined to it. */
export function growAt(context: CommandContext, seed: Point3): void {
  const room = correctable(context);
  const { stack, slices } = context;
  if (!room || !stack || !slices) return;
  const { labels, spacing, drafting } = room;
  const intensities = intensitiesOf(stack);
  const slice = intensities(Math.round(seed[0]));
  const index = indexOf(labels.shape, seed);
  if (!slice || index === null) return advise("The slice is still on its way.");
  const { tolerance, brushClass } = editNow();
  const range = rangeAround(slice, labels.shape, { row: seed[1], column: seed[2] }, tolerance * slices.window.width);
  const mostVoxels = (MOST_GROWN_ML * 1_000) / (spacing[0] * spacing[1] * spacing[2]);
  try {
    const voxels = grow(labels, { seed: index, range, label: LABEL_OF_CLASS[brushClass], intensitiesOf: intensities, mostVoxels });
    drafting.edit({ voxels, added: newLesions(labels, voxels), removed: [] });
  } catch (error) {
    if (!(error instanceof RegionError)) throw error;
    advise(error.message);
  }
}

function growAtPointer(context: CommandContext): void {
  const { pointer, tool, toggleTool } = editNow();
  if (pointer) return growAt(context, pointer);
  if (!correctable(context)) return;
  if (tool !== "grow") showPlainMarks();
  toggleTool("grow");
}

/** Copies the lesion that is meant from a neighbouring slice, or all of that slice when none is. */
function copyFrom(step: -1 | 1): Command["run"] {
  return (context) => {
    const room = correctable(context);
    if (!room) return;
    const { labels, drafting, spacing } = room;
    const to = context.reading.sliceIndex;
    const lesion = chosenLesion(context, labels) ?? lesionAtPointer(labels, spacing) ?? undefined;
    const voxels = copySlice(labels, { from: to + step, to, lesion });
    if (isNoChange(voxels)) advise(`The slice ${step < 0 ? "before" : "after"} holds nothing ${lesion ? "of this lesion " : ""}that is not here already.`);
    else drafting.edit({ voxels, added: [], removed: [] });
  };
}

/** How far from the pointer, or the chosen lesion's centre, a drawing may be, and how many slices apart two may be. */
const REACH_MM = 15;
const MOST_SLICES_BETWEEN = 20;

/** Fills the slices between the two nearest drawings above and below. */
function fillBetween(context: CommandContext): void {
  const room = correctable(context);
  if (!room) return;
  const { labels, drafting, spacing } = room;
  const point = placeMeant(context, room);
  if (!point) return advise("Point at a lesion on one of the slices, then press the key again.");
  const pair = patchesAround(labels, spacing, context.reading.sliceIndex, point);
  if (!pair) return advise("There is no gap here between two slices that hold a lesion.");
  const [first, second] = pair;
  const [[row, column] = [0, 0]] = first.pixels;
  const label = labels.voxels[indexOf(labels.shape, [first.sliceIndex, row, column]) ?? 0] ?? 0;
  drafting.edit({ voxels: interpolate(labels, spacing, first, second, label), added: [], removed: [] });
}

function placeMeant(context: CommandContext, { labels }: Correctable): SlicePoint | null {
  const { pointer } = editNow();
  const chosen = chosenLesion(context, labels);
  const place = pointer ?? (chosen && centroidOf(labels.shape, chosen));
  return place && { row: place[1], column: place[2] };
}

/** Two drawings with at least one empty slice between them: around the slice, or from it on. */
function patchesAround(labels: LabelVolume, spacing: Spacing, sliceIndex: number, point: SlicePoint): readonly [Patch, Patch] | null {
  const patchOn = (slice: number) => patchNear(labels, spacing, { sliceIndex: slice, point, withinMm: REACH_MM });
  const towards = (start: number, step: -1 | 1): Patch | null => {
    for (let slice = start; Math.abs(slice - start) <= MOST_SLICES_BETWEEN; slice += step) {
      const patch = patchOn(slice);
      if (patch) return patch;
    }
    return null;
  };
  const here = patchOn(sliceIndex);
  if (!here) {
    const [below, above] = [towards(sliceIndex - 1, -1), towards(sliceIndex + 1, 1)];
    return below && above && [below, above];
  }
  for (const step of [1, -1] as const) {
    const other = patchOn(sliceIndex + step) ? null : towards(sliceIndex + 2 * step, step);
    if (other) return [here, other];
  }
  return null;
}

/** Corrections that take what they draw from the pixels or from other slices. */
export const SLICE_EDIT_COMMANDS: readonly Command[] = [
  { id: "edit.grow", group: "Correcting", title: "Grow a lesion from the pointer", keys: ["g"], run: growAtPointer },
  { id: "edit.copy_before", group: "Correcting", title: "Copy from the slice before", keys: [","], run: copyFrom(-1) },
  { id: "edit.copy_after", group: "Correcting", title: "Copy from the slice after", keys: ["."], run: copyFrom(1) },
  { id: "edit.between", group: "Correcting", title: "Fill the slices between two drawings", keys: ["y"], run: fillBetween },
];
