import type { Point3 } from "./affine";
import type { LabelVolume, LesionClass } from "./labels";
import { lesionAt } from "./lesion_extent";

/** What became of a voxel between two versions; 0 is background in both. */
export const DIFFERENCE = { kept: 1, added: 2, removed: 3, reclassified: 4 } as const;

export type Difference = keyof typeof DIFFERENCE;

export interface VersionDiff {
  /** One of DIFFERENCE for every voxel that is labelled in either version. */
  readonly labels: LabelVolume;
  readonly voxelCounts: Readonly<Record<Difference, number>>;
}

export class DiffError extends Error {
  override readonly name = "DiffError";
}

/** Throws a DiffError for two versions on different grids. */
export function diffOf(before: LabelVolume, after: LabelVolume): VersionDiff {
  if (before.shape.some((size, axis) => size !== after.shape[axis])) {
    throw new DiffError(`Versions of ${before.shape.join(" × ")} and ${after.shape.join(" × ")} voxels cannot be compared; both need one grid.`);
  }
  const voxels = new Uint8Array(before.voxels.length);
  const counts = [0, 0, 0, 0, 0];
  for (let at = 0; at < voxels.length; at += 1) {
    const difference = differenceOf(before.voxels[at] ?? 0, after.voxels[at] ?? 0);
    voxels[at] = difference;
    counts[difference] = (counts[difference] ?? 0) + 1;
  }
  const [, kept = 0, added = 0, removed = 0, reclassified = 0] = counts;
  return { labels: { shape: before.shape, voxels }, voxelCounts: { kept, added, removed, reclassified } };
}

function differenceOf(before: number, after: number): number {
  if (before === after) return before === 0 ? 0 : DIFFERENCE.kept;
  if (before === 0) return DIFFERENCE.added;
  return after === 0 ? DIFFERENCE.removed : DIFFERENCE.reclassified;
}

/** A lesion as far as it can be found in a mask. */
export interface Placed {
  readonly number: number;
  readonly lesion_class: LesionClass;
  readonly volume_ml: number;
  /** Slice, row and column, on a slice of the lesion. */
  readonly centroid: Point3;
}

/** What became of one lesion; "before" is null for an added one, "after" for a removed one. */
export interface LesionDiff<Lesion> {
  readonly kind: "added" | "removed" | "reclassified" | "reshaped";
  readonly before: Lesion | null;
  readonly after: Lesion | null;
}

/** Lesions that differ between two versions: found again where they share a voxel, whichever shares most. */
export function lesionDiffs<Lesion extends Placed>(
  before: { readonly labels: LabelVolume; readonly lesions: readonly Lesion[] },
  after: { readonly labels: LabelVolume; readonly lesions: readonly Lesion[] },
): LesionDiff<Lesion>[] {
  const owners = ownersOf(before.labels, before.lesions);
  const found = new Set<Lesion>();
  const diffs: LesionDiff<Lesion>[] = [];
  for (const lesion of after.lesions) {
    const voxels = [...lesionAt(after.labels, lesion.centroid)];
    const former = mostFrequent(voxels.map((voxel) => owners.get(voxel)));
    if (former) found.add(former);
    const kind = former ? changeOf(before.labels, after.labels, voxels, former, lesion) : "added";
    if (kind) diffs.push({ kind, before: former, after: lesion });
  }
  const removed = before.lesions.filter((lesion) => !found.has(lesion)).map((lesion) => ({ kind: "removed" as const, before: lesion, after: null }));
  return [...diffs, ...removed];
}

function changeOf(before: LabelVolume, after: LabelVolume, voxels: readonly number[], former: Placed, lesion: Placed): "reclassified" | "reshaped" | null {
  if (former.lesion_class !== lesion.lesion_class) return "reclassified";
  const isSame = former.volume_ml === lesion.volume_ml && voxels.every((voxel) => before.voxels[voxel] === after.voxels[voxel]);
  return isSame ? null : "reshaped";
}

function ownersOf<Lesion extends Placed>(labels: LabelVolume, lesions: readonly Lesion[]): Map<number, Lesion> {
  return new Map(lesions.flatMap((lesion) => [...lesionAt(labels, lesion.centroid)].map((voxel) => [voxel, lesion] as const)));
}

function mostFrequent<Value>(values: readonly (Value | undefined)[]): Value | null {
  const counts = new Map<Value, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[Value | null, number]>((best, entry) => (entry[1] > best[1] ? entry : best), [null, 0])[0];
}
