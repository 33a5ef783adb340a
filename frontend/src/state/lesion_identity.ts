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
  const distance = (other: Lesion) => distanceTo([...other.centroid_index] as [number, number, number], lesion);
  const [nearest] = others.toSorted((first, second) => distance(first) - distance(second));
  return nearest && distance(nearest) <= radiusOf(lesion) ? nearest : null;
}

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
