import { firstPart } from "./multipart";
import type { DicomJson } from "./pixel_format";
import { problemOf, unreachable } from "./problem";
import type { SliceStack } from "./types";

type SeriesAddress = Pick<SliceStack, "study_instance_uid" | "series_instance_uid">;

const SOP_INSTANCE_UID = "00080018";

function seriesUrl({ study_instance_uid, series_instance_uid }: SeriesAddress): string {
  return `/dicom-web/studies/${study_instance_uid}/series/${series_instance_uid}`;
}

/** Where the pixels of each slice are, in slice order. */
export function frameUrls(stack: SliceStack): string[] {
  return stack.slices.map(({ sop_instance_uid, frame }) => `${seriesUrl(stack)}/instances/${sop_instance_uid}/frames/${frame}`);
}

/** Attributes of every instance of a series, by SOP Instance UID. */
export async function fetchSeriesAttributes(series: SeriesAddress): Promise<Map<string, DicomJson>> {
  const response = await get(`${seriesUrl(series)}/metadata`, "application/dicom+json");
  const instances = (await response.json()) as DicomJson[];
  return new Map(instances.map((instance) => [String(instance[SOP_INSTANCE_UID]?.Value?.[0]), instance]));
}

/** Frames that were asked for before there was anything to draw them. */
const askedAhead = new Map<string, Promise<Uint8Array>>();

/** Asks for a frame whose page is still on its way; the next `fetchFrame` of this address gets it. Resolves once it is here. */
export async function askFrameAhead(url: string, priority: "high" | "low"): Promise<void> {
  const asked = getFrame(url, priority);
  askedAhead.set(url, asked);
  await asked.catch((error: unknown) => {
    askedAhead.delete(url);
    throw error;
  });
}

/** The uncompressed bytes of one frame, little-endian. The slice that a reader waits for goes before those fetched ahead. */
export async function fetchFrame(url: string, priority: "high" | "low"): Promise<Uint8Array> {
  const asked = askedAhead.get(url);
  askedAhead.delete(url);
  return asked ?? getFrame(url, priority);
}

async function getFrame(url: string, priority: "high" | "low"): Promise<Uint8Array> {
  const response = await get(url, 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1', priority);
  return firstPart(new Uint8Array(await response.arrayBuffer()), response.headers.get("Content-Type") ?? "");
}

async function get(url: string, accept: string, priority: RequestPriority = "auto"): Promise<Response> {
  const response = await fetch(url, { headers: { Accept: accept }, credentials: "same-origin", priority }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null), response.headers);
  return response;
}
