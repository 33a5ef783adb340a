import { bytesOf } from "./client";
import { jsonOf, queryOf } from "./json";
import { problemOf } from "./problem";
import type { Protocol } from "./types";

/** The rigid movement from a study's FLAIR to a prior's. */
export interface Registration {
  readonly id: string;
  readonly study: string;
  readonly prior: string;
  readonly fixed_series: string;
  readonly moving_series: string;
  readonly state: "queued" | "running" | "succeeded" | "failed";
  readonly reason: string;
  /** 4 × 4, row by row: LPS mm of the study to LPS mm of the prior; null until it has succeeded. */
  readonly matrix: readonly number[] | null;
  readonly similarity: number | null;
}

/** In the order in which a reader asks for them. */
export const CHANGE_KINDS = ["new", "enlarging", "stable", "shrinking", "resolved"] as const;

export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** What became of lesions that belong together: any number on either side, none for new and for resolved. */
export interface LesionChange {
  readonly change: ChangeKind;
  /** The class for which the change is evidence, until a reader says so. */
  readonly suggests: "active" | null;
  readonly lesions: readonly number[];
  readonly prior_lesions: readonly number[];
  readonly volume_ml: number;
  readonly prior_volume_ml: number;
  /** Slice, row, column in the study. */
  readonly anchor: readonly [number, number, number];
}

/** A place that became brighter in the FLAIR, whatever the masks say of it. */
export interface BrightSpot {
  readonly lesions: readonly number[];
  /** Of its lesions, by the masks; null of no lesion. */
  readonly change: ChangeKind | null;
  readonly suggests: "active";
  readonly volume_ml: number;
  /** Slice, row, column in the study. */
  readonly anchor: readonly [number, number, number];
  /** First voxel and length of each run of voxels in C order. */
  readonly runs: readonly (readonly [first: number, length: number])[];
}

export interface Brightening {
  readonly rule: string;
  readonly suggestion: string;
  /** Why nothing could be looked for; empty where it could. */
  readonly note: string;
  /** The spots where no lesion is new or enlarging. */
  readonly without_growth: number;
  readonly spots: readonly BrightSpot[];
}

export interface StudyChanges {
  readonly annotation: string;
  readonly prior_annotation: string;
  readonly rule: string;
  readonly suggestion: string;
  readonly protocol: Protocol["comparison"];
  readonly counts: Readonly<Record<ChangeKind, number>>;
  readonly changes: readonly LesionChange[];
  /** Null where it was not looked for. */
  readonly brightening: Brightening | null;
  /** Lesions outside the field of view of the other study. */
  readonly not_compared?: readonly number[];
}

/** The newest registration of a study to a prior; null where none was asked for. */
export async function fetchRegistration(study: string, prior: string): Promise<Registration | null> {
  const { results } = await jsonOf<{ results: readonly Registration[] }>("GET", `/api/v1/studies/${study}/registrations${queryOf({ prior })}`);
  return results[0] ?? null;
}

export function requestRegistration(study: string, prior: string): Promise<Registration> {
  return jsonOf("POST", `/api/v1/studies/${study}/registrations`, { prior });
}

/** Refused with 409 while the two studies are not registered. */
export function fetchChanges(study: string, prior: string): Promise<StudyChanges> {
  return jsonOf("GET", `/api/v1/studies/${study}/changes${queryOf({ prior })}`);
}

/** Probability of plaque of every voxel, 0 to 255, in C order. Throws a ProblemError where there is another number of voxels. */
export async function fetchProbability(annotation: string, shape: readonly number[], signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = await bytesOf(`/api/v1/annotations/${annotation}/probability`, signal);
  const needed = shape.reduce((product, size) => product * size, 1);
  if (bytes.length === needed) return bytes;
  throw problemOf(0, { title: "This probability does not fit", detail: `It has ${bytes.length} voxels, the series has ${needed}.` });
}
