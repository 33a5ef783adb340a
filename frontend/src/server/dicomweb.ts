import { problemOf, unreachable } from "./problem";
import type { SliceStack } from "./types";

/** One instance's attributes in the DICOM JSON model: tag (eight hex digits) to value. Source: DICOM PS3.18 F.2. */
export type DicomJson = Record<string, { vr: string; Value?: unknown[] }>;

type SeriesAddress = Pick<SliceStack, "study_instance_uid" | "series_instance_uid">;

const SOP_INSTANCE_UID = "00080018";

function seriesUrl({ study_instance_uid, series_instance_uid }: SeriesAddress): string {
  return `${location.origin}/dicom-web/studies/${study_instance_uid}/series/${series_instance_uid}`;
}

/** Where the pixels of each slice are, in slice order. */
export function frameUrls(stack: SliceStack): string[] {
  return stack.slices.map(({ sop_instance_uid, frame }) => `${seriesUrl(stack)}/instances/${sop_instance_uid}/frames/${frame}`);
}

/** Attributes of every instance of a series, by SOP Instance UID. */
export async function fetchSeriesAttributes(series: SeriesAddress): Promise<Map<string, DicomJson>> {
  const headers = { Accept: "application/dicom+json" };
  const response = await fetch(`${seriesUrl(series)}/metadata`, { headers, credentials: "same-origin" }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  const instances = (await response.json()) as DicomJson[];
  return new Map(instances.map((instance) => [String(instance[SOP_INSTANCE_UID]?.Value?.[0]), instance]));
}
