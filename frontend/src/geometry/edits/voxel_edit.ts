import { isSameShape, type LabelVolume } from "../labels";

/** Voxels that change together: their indices in C order, ascending and each once, with the label before and after. */
export interface VoxelEdit {
  readonly indices: Uint32Array;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export const NO_CHANGE: VoxelEdit = { indices: new Uint32Array(), before: new Uint8Array(), after: new Uint8Array() };

/** The edit that gives each voxel its new label; voxels that have it already are left out. */
export function editOf({ voxels }: LabelVolume, labelOf: ReadonlyMap<number, number>): VoxelEdit {
  const changed = [...labelOf.keys()].filter((index) => labelOf.get(index) !== voxels[index]);
  const indices = Uint32Array.from(changed).toSorted();
  return {
    indices,
    before: Uint8Array.from(indices, (index) => voxels[index] ?? 0),
    after: Uint8Array.from(indices, (index) => labelOf.get(index) ?? 0),
  };
}

/** The edit that gives all of these voxels one label. */
export function labelling(labels: LabelVolume, indices: Iterable<number>, label: number): VoxelEdit {
  const labelOf = new Map<number, number>();
  for (const index of indices) labelOf.set(index, label);
  return editOf(labels, labelOf);
}

/** What has to change in the one volume to make it the other. Throws a RangeError for volumes of two shapes. */
export function differenceOf(from: LabelVolume, to: LabelVolume): VoxelEdit {
  if (!isSameShape(from.shape, to.shape)) {
    throw new RangeError(`A mask of ${from.shape.join(" × ")} voxels cannot become one of ${to.shape.join(" × ")}; both need one grid.`);
  }
  const changed: number[] = [];
  for (let index = 0; index < from.voxels.length; index += 1) {
    if (from.voxels[index] !== to.voxels[index]) changed.push(index);
  }
  const indices = Uint32Array.from(changed);
  const labelsIn = ({ voxels }: LabelVolume) => Uint8Array.from(indices, (index) => voxels[index] ?? 0);
  return { indices, before: labelsIn(from), after: labelsIn(to) };
}

export function isNoChange({ indices }: VoxelEdit): boolean {
  return indices.length === 0;
}

export function inverseOf({ indices, before, after }: VoxelEdit): VoxelEdit {
  return { indices, before: after, after: before };
}

/** The edit that does what these do one after the other. */
export function combined(edits: readonly VoxelEdit[]): VoxelEdit {
  const [only] = edits;
  if (edits.length === 1 && only) return only;
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const { indices, before, after } of edits) {
    for (const [at, index] of indices.entries()) {
      if (!first.has(index)) first.set(index, before[at] ?? 0);
      last.set(index, after[at] ?? 0);
    }
  }
  const indices = Uint32Array.from([...first.keys()].filter((index) => first.get(index) !== last.get(index))).toSorted();
  return {
    indices,
    before: Uint8Array.from(indices, (index) => first.get(index) ?? 0),
    after: Uint8Array.from(indices, (index) => last.get(index) ?? 0),
  };
}

/**
 * Writes the edit into the voxels and returns them under a new name, so that whatever was made of the labels before is
 * not taken for what they are now. Voxels that somebody else changed since the edit was made keep their label.
 */
export function applied({ shape, voxels }: LabelVolume, { indices, before, after }: VoxelEdit): LabelVolume {
  for (let at = 0; at < indices.length; at += 1) {
    const index = indices[at] ?? 0;
    if (voxels[index] === before[at]) voxels[index] = after[at] ?? 0;
  }
  return { shape, voxels };
}

/** The slices that an edit touches, ascending. */
export function slicesOf({ indices }: VoxelEdit, [, rows, columns]: LabelVolume["shape"]): number[] {
  const slices = new Set<number>();
  for (const index of indices) slices.add(Math.floor(index / (rows * columns)));
  return [...slices];
}
