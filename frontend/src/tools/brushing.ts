import type { Point3 } from "../geometry/affine";
import { indexOf } from "../geometry/edits/grid";
import { paint, paintWithin, rangeAround, type Dab, type IntensityRange, type SlicePoint } from "../geometry/edits/brush";
import { pixelsBetween, split } from "../geometry/edits/split";
import { isNoChange, NO_CHANGE, type VoxelEdit } from "../geometry/edits/voxel_edit";
import { LABEL_OF_CLASS } from "../geometry/labels";
import { advise } from "../state/advice";
import { editNow } from "../state/editing";
import { componentAtVoxel } from "../state/lesion_identity";
import { showPlainMarks } from "../state/plain_marks";
import type { BrushCursor, StrokeHandlers } from "../viewport/brush_gesture";
import { intensitiesOf } from "../viewport/intensities";
import type { CommandContext } from "./command";
import { chosenLesion, correctable, type Correctable } from "./lesion_target";
import { addedLesions } from "./new_lesions";
import { growAt } from "./slice_edits";

/** What the chosen tool makes of the pointer's way over the study's own pane. */
export function strokesOf(contextNow: () => CommandContext): StrokeHandlers {
  let way: Point3[] = [];
  let range: IntensityRange | null = null;
  const isPainting = () => ["brush", "eraser", "threshold_brush"].includes(editNow().tool);

  const draw = (to: Point3) => {
    const context = contextNow();
    const from = way.at(-1) ?? to;
    way.push(to);
    context.drafting?.extendStroke(pieceOf(context, from[0] === to[0] ? from : to, to, range));
  };

  return {
    cursor: cursorNow,
    onPoint: (voxel) => editNow().point(voxel),
    begin: (voxel) => {
      const context = contextNow();
      const { tool } = editNow();
      way = [];
      if (!correctable(context)) return;
      showPlainMarks();
      if (tool === "grow") return growAt(context, voxel);
      if (tool === "threshold_brush") range = rangeAt(context, voxel);
      if (isPainting()) draw(voxel);
      else way.push(voxel);
    },
    extend: (voxels) => {
      if (way.length === 0) return;
      if (isPainting()) voxels.forEach(draw);
      else way.push(...voxels);
    },
    end: () => {
      const context = contextNow();
      if (editNow().tool === "split" && way.length > 0) splitAlong(context, way);
      context.drafting?.endStroke((stroke) => (context.drafting?.labels ? addedLesions(context.drafting.labels, stroke) : []));
      way = [];
    },
    cancel: () => {
      contextNow().drafting?.cancelStroke();
      way = [];
    },
  };
}

function cursorNow(): BrushCursor | null {
  const { tool, brushClass, sizeMm } = editNow();
  if (tool === "none") return null;
  const isSized = tool === "brush" || tool === "eraser" || tool === "threshold_brush";
  return { diameterMm: isSized ? sizeMm : null, kind: tool === "eraser" ? "eraser" : brushClass, hasTrail: tool === "split" };
}

function pieceOf({ drafting, slices, stack }: CommandContext, from: Point3, to: Point3, range: IntensityRange | null): VoxelEdit {
  const room = correctable({ drafting, slices, stack });
  if (!room || !stack) return NO_CHANGE;
  const { tool, brushClass, sizeMm } = editNow();
  const dab: Dab = { sliceIndex: Math.round(to[0]), from: pointOf(from), to: pointOf(to), diameterMm: sizeMm };
  const label = tool === "eraser" ? 0 : LABEL_OF_CLASS[brushClass];
  const slice = tool === "threshold_brush" ? intensitiesOf(stack)(dab.sliceIndex) : null;
  return slice && range ? paintWithin(room.labels, room.spacing, dab, { label, slice, range }) : paint(room.labels, room.spacing, dab, label);
}

function pointOf([, row, column]: Point3): SlicePoint {
  return { row, column };
}

function rangeAt({ stack, slices, drafting }: CommandContext, [slice, row, column]: Point3): IntensityRange | null {
  const pixels = stack && intensitiesOf(stack)(Math.round(slice));
  if (!pixels || !slices || !drafting?.labels) return null;
  return rangeAround(pixels, drafting.labels.shape, { row, column }, editNow().tolerance * slices.window.width);
}

/** Cuts the lesion that the line crosses: the chosen one, else the first one on its way. */
function splitAlong(context: CommandContext, way: readonly Point3[]): void {
  const room = correctable(context);
  if (!room) return;
  const line = way.map(pointOf);
  const lesion = crossedLesion(context, room, Math.round(way[0]?.[0] ?? 0), line);
  const voxels = lesion ? split(room.labels, lesion, line) : NO_CHANGE;
  if (isNoChange(voxels)) advise("Draw the line across the lesion that is to be split.");
  else room.drafting.edit({ voxels, added: [], removed: [] });
}

function crossedLesion(context: CommandContext, { labels }: Correctable, slice: number, line: readonly SlicePoint[]) {
  const pixels = line.flatMap((to, at) => pixelsBetween(line[Math.max(0, at - 1)] ?? to, to));
  const voxels = pixels.flatMap(([row, column]) => indexOf(labels.shape, [slice, row, column]) ?? []).filter((voxel) => labels.voxels[voxel] !== 0);
  const chosen = chosenLesion(context, labels);
  if (chosen && voxels.some((voxel) => componentAtVoxel(labels, voxel) === chosen)) return chosen;
  return voxels[0] === undefined ? null : componentAtVoxel(labels, voxels[0]);
}
