import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { point3 } from "../geometry/affine";
import { DiffError, diffOf, lesionDiffs, type LesionDiff, type Placed, type VersionDiff } from "../geometry/version_diff";
import type { Lesion } from "../server/types";
import { middleSliceOf } from "./anchors";
import { useComparison } from "./comparison";
import { lesionsQuery, maskQuery } from "./queries";

export type PlacedLesion = Lesion & Placed;

/** Two versions side by side; null while none are compared or they are not here yet. */
export interface VersionComparison {
  readonly before: string;
  readonly after: string;
  readonly diff: VersionDiff;
  readonly lesions: readonly LesionDiff<PlacedLesion>[];
}

export function useVersionComparison(): { readonly comparison: VersionComparison | null; readonly error: Error | null } {
  const { before, after } = useComparison();
  const first = useVersion(before);
  const second = useVersion(after);
  return useMemo(() => {
    const failed = first.error ?? second.error;
    if (failed || !before || !after || !first.labels || !second.labels || !first.lesions || !second.lesions) return { comparison: null, error: failed };
    try {
      const diff = diffOf(first.labels, second.labels);
      const lesions = lesionDiffs({ labels: first.labels, lesions: first.lesions.map(placed) }, { labels: second.labels, lesions: second.lesions.map(placed) });
      return { comparison: { before, after, diff, lesions }, error: null };
    } catch (error) {
      if (error instanceof DiffError) return { comparison: null, error };
      throw error;
    }
  }, [before, after, first.labels, second.labels, first.lesions, second.lesions, first.error, second.error]);
}

function useVersion(id: string | null) {
  const mask = useQuery({ ...maskQuery(id ?? ""), enabled: id !== null });
  const lesions = useQuery({ ...lesionsQuery(id ?? ""), enabled: id !== null });
  return { labels: mask.data, lesions: lesions.data, error: mask.error ?? lesions.error };
}

function placed(lesion: Lesion): PlacedLesion {
  const [, row, column] = point3(lesion.centroid_index);
  return { ...lesion, centroid: [middleSliceOf(lesion), row, column] };
}
