import { point3, toWorld, type Affine } from "../geometry/affine";
import type { Component } from "../geometry/components";
import { centroidOf, classOf, indexOf, spacingOf, type Shape } from "../geometry/edits/grid";
import { LESION_CLASSES, type LabelVolume, type LesionClass } from "../geometry/labels";
import { inPlaneAxisMm, longestAxis } from "../geometry/longest_axis";
import type { Statement } from "../server/review";
import type { ByClass, Lesion } from "../server/types";
import { componentsNow } from "./lesion_identity";

/** What the lesion table and the counts show while the server has not measured the last step yet. */
export interface Measured {
  readonly lesions: readonly Lesion[];
  readonly lesion_counts: ByClass;
  readonly lesion_volumes_ml: ByClass;
  readonly counts_by_slice: { readonly active: number[]; readonly inactive: number[] };
}

interface Measurable {
  readonly labels: LabelVolume;
  readonly affine: Affine;
  readonly statements: readonly Statement[];
  /** As the server measured them last: what did not change since is taken over. */
  readonly known: readonly Lesion[];
  readonly countingRule: string;
}

/** The lesions as the counting rule has them, by falling volume, and their sums; as the server will tell them. */
export function measuredLesions({ labels, affine, statements, known, countingRule }: Measurable): Measured {
  const voxelMm3 = spacingOf(affine).reduce((product, size) => product * size, 1);
  const fewest = smallestMm3(countingRule) / voxelMm3;
  const components = componentsNow(labels).filter(({ length }) => length >= fewest);
  const lesions = components
    .toSorted((first, second) => second.length - first.length)
    .map((component, order): Lesion => {
      const lesion = { ...(knownAs(component, labels.shape, known) ?? measure(component, labels.shape, affine, voxelMm3)), number: order + 1 };
      return { ...lesion, lesion_class: classOf(labels, component), evidence: evidenceOf(component, labels.shape, statements) };
    });
  return { lesions, ...sumsOf(lesions, labels.shape[0]) };
}

/** Source: the sentence of the server's counting rule, "… components of at least 14.1 mm³; …". */
function smallestMm3(countingRule: string): number {
  return Number(/at least ([\d.]+) mm³/u.exec(countingRule)?.[1] ?? 0);
}

const SAME_CENTRE = 0.05;

function knownAs(component: Component, shape: Shape, known: readonly Lesion[]): Lesion | undefined {
  const alike = known.filter(({ voxel_count }) => voxel_count === component.length);
  if (alike.length === 0) return undefined;
  const centre = centroidOf(shape, component);
  return alike.find(({ centroid_index }) => centre.every((position, axis) => Math.abs(position - (centroid_index[axis] ?? Infinity)) < SAME_CENTRE));
}

function measure(component: Component, shape: Shape, affine: Affine, voxelMm3: number): Lesion {
  const centroid = centroidOf(shape, component);
  const slices = new Set<number>();
  for (const voxel of component) slices.add(Math.floor(voxel / (shape[1] * shape[2])));
  return {
    id: `unsaved ${component[0]}`, number: 0, lesion_class: "inactive", evidence: null, mean_probability: null, region: "not_determined",
    volume_ml: (component.length * voxelMm3) / 1_000, longest_axis_mm: longestAxis([...component], shape, affine)?.lengthMm ?? 0,
    in_plane_axis_mm: inPlaneAxisMm([...component], shape, affine),
    voxel_count: component.length, centroid_mm: [...toWorld(affine, centroid)], centroid_index: [...centroid], slice_indices: [...slices],
  };
}

function evidenceOf(component: Component, shape: Shape, statements: readonly Statement[]): Lesion["evidence"] {
  const confirmed = statements.filter(({ kind }) => kind === "confirmed");
  if (confirmed.length === 0) return null;
  const isVoxel = new Set(component);
  return confirmed.find(({ anchor }) => isVoxel.has(indexOf(shape, point3(anchor)) ?? -1))?.evidence ?? null;
}

function sumsOf(lesions: readonly Lesion[], sliceCount: number): Omit<Measured, "lesions"> {
  const of = (lesionClass: LesionClass) => lesions.filter(({ lesion_class }) => lesion_class === lesionClass);
  const byClass = <Value>(value: (those: readonly Lesion[]) => Value) =>
    Object.fromEntries(LESION_CLASSES.map((lesionClass) => [lesionClass, value(of(lesionClass))])) as Record<LesionClass, Value>;
  const slices = Array.from({ length: sliceCount }, (_, slice) => slice);
  return {
    lesion_counts: byClass(({ length }) => length),
    lesion_volumes_ml: byClass((those) => those.reduce((sum, { volume_ml }) => sum + volume_ml, 0)),
    counts_by_slice: byClass((those) => slices.map((slice) => those.filter(({ slice_indices }) => slice_indices.includes(slice)).length)),
  };
}
