import { componentAt, componentsOf } from "../geometry/components";
import { anchorOf, classOf } from "../geometry/edits/grid";
import { applied, type VoxelEdit } from "../geometry/edits/voxel_edit";
import type { LabelVolume } from "../geometry/labels";
import type { Statement } from "../server/review";
import { newId } from "../state/draft_store";

/** What a drawing says: each lesion that was not there at all before was added by the reader. */
export function newLesions(before: LabelVolume, drawn: VoxelEdit): Statement[] {
  const after = applied({ shape: before.shape, voxels: before.voxels.slice() }, drawn);
  return addedLesions(after, drawn);
}

/** The same of labels that hold the drawing already. */
export function addedLesions(labels: LabelVolume, { indices, before, after }: VoxelEdit): Statement[] {
  const isNew = new Set(indices.filter((_, at) => before[at] === 0 && after[at] !== 0));
  if (isNew.size === 0) return [];
  const components = componentsOf(labels);
  const touched = new Set([...isNew].map((voxel) => componentAt(components, voxel)));
  return [...touched].flatMap((lesion) => {
    if (!lesion?.every((voxel) => isNew.has(voxel))) return [];
    return [{ id: newId(), kind: "added", anchor: anchorOf(labels.shape, lesion), lesion_class: classOf(labels, lesion), evidence: null, reason: "" }];
  });
}
