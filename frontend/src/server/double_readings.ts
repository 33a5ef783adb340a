/** One study read by two readers who see nothing of each other, and an adjudicator who sees both. */
import { jsonOf } from "./json";

export interface Agreement {
  readonly dice: number | null;
  readonly dice_active: number | null;
  readonly dice_inactive: number | null;
  readonly lesion_f1: number | null;
  readonly class_kappa: number | null;
  readonly lesions_matched: number;
  readonly rule: string;
}

export type DoubleReadingState = "reading" | "adjudication" | "done";

export interface DoubleReading {
  readonly id: string;
  readonly study: string;
  readonly readers: readonly string[];
  readonly adjudicator: string;
  readonly state: DoubleReadingState;
  readonly created?: string;
  readonly agreement: Agreement | null;
}

export interface NewDoubleReading {
  readonly study: string;
  readonly readers: readonly string[];
  readonly adjudicator: string;
}

export async function fetchDoubleReadings(): Promise<readonly DoubleReading[]> {
  const listed = await jsonOf<readonly DoubleReading[] | { readonly results: readonly DoubleReading[] }>("GET", "/api/v1/double-readings?page_size=200");
  return "results" in listed ? listed.results : listed;
}

export function beginDoubleReading(asked: NewDoubleReading): Promise<DoubleReading> {
  return jsonOf("POST", "/api/v1/double-readings", asked);
}
