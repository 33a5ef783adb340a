import { centroidOf, type Shape } from "../geometry/edits/grid";
import { componentAt, componentsOf, type Component } from "../geometry/components";
import type { LabelVolume } from "../geometry/labels";
import type { Lesion } from "../server/types";

type Place = Pick<Lesion, "voxel_count" | "centroid_index" | "slice_indices">;

/** Two components of one size never have their centres so close, in voxels. */
const SAME_CENTRE = 0.05;

let latest: { readonly labels: LabelVolume; readonly components: readonly Component[] } | null = null;

/** The components of the labels that were asked for last are kept: several keys ask for the same. */
export function componentsNow(labels: LabelVolume): readonly Component[] {
  if (latest?.labels !== labels) latest = { labels, components: componentsOf(labels) };
  return latest.components;
}

/**
 * The component that a row of the lesion table stands for. While a change is not saved yet the row may be older than the
 * labels: then it is the nearest component, not further away than the lesion is large. Null when there is none.
 */
export function componentOfLesion(labels: LabelVolume, lesion: Place): Component | null {
  const places = componentsNow(labels).map((component) => ({ component, distance: distanceTo(centroidOf(labels.shape, component), lesion) }));
  const exact = places.find(({ component, distance }) => component.length === lesion.voxel_count && distance < SAME_CENTRE);
  if (exact) return exact.component;
  const [nearest] = places.toSorted((first, second) => first.distance - second.distance);
  return nearest && nearest.distance <= radiusOf(lesion) ? nearest.component : null;
}

export function componentAtVoxel(labels: LabelVolume, voxel: number): Component | null {
  return componentAt(componentsNow(labels), voxel);
}

/** The lesion among others that is this one after it was changed; null when it is gone. */
export function sameLesion(lesion: Lesion, others: readonly Lesion[]): Lesion | null {
  let [nearest, least]: [Lesion | null, number] = [null, radiusOf(lesion)];
  for (const other of others) {
    const distance = between(lesion, other);
    if (distance <= least) [nearest, least] = [other, distance];
  }
  return nearest;
}

/**
 * What became of a version's lesions in a draft that began with it, by their numbers in the version: none where one was
 * deleted, several where one was split, the same for several that were merged.
 */
export function heirsOf(lesions: readonly Lesion[], drafted: readonly Lesion[]): ReadonlyMap<number, readonly Lesion[]> {
  const touched = drafted.filter((lesion) => !lesions.some((other) => isUntouched(lesion, other)));
  const heirs = (lesion: Lesion): Lesion[] => {
    const itself = drafted.find((other) => isUntouched(lesion, other));
    if (itself) return [itself];
    const nearest = sameLesion(lesion, touched);
    return touched.filter((other) => other === nearest || sameLesion(other, lesions) === lesion);
  };
  return new Map(lesions.map((lesion) => [lesion.number, heirs(lesion)]));
}

const isUntouched = (lesion: Lesion, other: Lesion) => lesion.voxel_count === other.voxel_count && between(lesion, other) < SAME_CENTRE;

const between = (lesion: Lesion, other: Lesion) => distanceTo([...other.centroid_index] as [number, number, number], lesion);

/** The row that stands for a component; null while none does. */
export function lesionOfComponent<Row extends Place>(shape: Shape, component: Component, lesions: readonly Row[]): Row | null {
  const centre = centroidOf(shape, component);
  const near = lesions.filter((lesion) => distanceTo(centre, lesion) <= radiusOf(lesion));
  return near.toSorted((first, second) => distanceTo(centre, first) - distanceTo(centre, second))[0] ?? null;
}

/** In voxels, the slices counted as rows are. */
function distanceTo([slice, row, column]: readonly [number, number, number], { centroid_index: [z = 0, y = 0, x = 0] }: Place): number {
  return Math.hypot(slice - z, row - y, column - x);
}

/** About how far from its centre a lesion reaches, in voxels: that of a disc on each of its slices. */
function radiusOf({ voxel_count, slice_indices }: Place): number {
  return 1 + Math.sqrt(voxel_count / Math.max(1, slice_indices.length) / Math.PI);
}
