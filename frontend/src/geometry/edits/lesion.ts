import { LABEL_OF_CLASS, type LabelVolume, type LesionClass } from "../labels";
import { labelling, type VoxelEdit } from "./voxel_edit";

/** The lesion is gone. */
export function removeLesion(labels: LabelVolume, lesion: ArrayLike<number>): VoxelEdit {
  return labelling(labels, Array.from(lesion), 0);
}

/** Every voxel of the lesion is of the class. */
export function reclassify(labels: LabelVolume, lesion: ArrayLike<number>, lesionClass: LesionClass): VoxelEdit {
  return labelling(labels, Array.from(lesion), LABEL_OF_CLASS[lesionClass]);
}

export function otherClass(lesionClass: LesionClass): LesionClass {
  return lesionClass === "active" ? "inactive" : "active";
}
