import { jsonOf, queryOf } from "./json";

/** One enhancing place of a lesion. */
export interface Uptake {
  /** Its number in the version. */
  readonly lesion: number;
  readonly suggests: "active";
  readonly volume_ml: number;
  readonly peak_deviations: number;
  /** Slice, row, column in the study. */
  readonly anchor: readonly [number, number, number];
}

/** Which lesions of a version are brighter after contrast agent than before it. */
export interface Enhancement {
  readonly study: string;
  readonly annotation: string;
  /** Null before it is asked for. */
  readonly state: "queued" | "running" | "succeeded" | "failed" | null;
  /** Why nothing is known of uptake; empty where it is, or will be. */
  readonly reason: string;
  /** Null where nothing is known of uptake. */
  readonly rule: string | null;
  readonly suggestion: string;
  /** Those that took it up, by number. */
  readonly lesions: readonly number[];
  readonly uptakes: readonly Uptake[];
}

export function fetchEnhancement(study: string, annotation: string): Promise<Enhancement> {
  return jsonOf("GET", `/api/v1/studies/${study}/enhancement${queryOf({ annotation })}`);
}

export function requestEnhancement(study: string): Promise<Enhancement> {
  return jsonOf("POST", `/api/v1/studies/${study}/enhancement`);
}
