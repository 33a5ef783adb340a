import { sliceOf, type LabelVolume } from "../labels";
import { editOf, type VoxelEdit } from "./voxel_edit";

/** Puts what a slice holds into the background of another; of one lesion only when it is given. */
export function copySlice(labels: LabelVolume, { from, to, lesion }: { from: number; to: number; lesion?: ArrayLike<number> | undefined }): VoxelEdit {
  const size = labels.shape[1] * labels.shape[2];
  const source = sliceOf(labels, from);
  const target = sliceOf(labels, to);
  if (source.length === 0 || target.length === 0) return editOf(labels, new Map());
  const isLesion = lesion ? new Set(Array.from(lesion)) : null;
  const labelOf = new Map<number, number>();
  for (let at = 0; at < size; at += 1) {
    const label = source[at] ?? 0;
    if (label === 0 || target[at] !== 0 || (isLesion && !isLesion.has(from * size + at))) continue;
    labelOf.set(to * size + at, label);
  }
  return editOf(labels, labelOf);
}
