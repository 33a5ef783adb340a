import { create } from "zustand";

import { LESION_CLASSES, type LesionClass } from "../geometry/labels";
import { CHANGE_KINDS, type ChangeKind } from "../server/longitudinal";
import type { Evidence, Statement } from "../server/review";
import type { ByClass, Lesion, Region } from "../server/types";

/** What became of a lesion since the prior. */
export type LesionChange = ChangeKind;

/** What a reader said about a lesion; "predicted" as long as nobody said anything. */
export type ReviewMark = "predicted" | "confirmed" | "reclassified" | "added";

export interface LesionRow {
  readonly lesion: Lesion;
  /** Null while there is no prior to compare with. */
  readonly change: LesionChange | null;
  /** It is brighter after contrast agent: a suggestion until a reader confirms it. */
  readonly takesUp: boolean;
  readonly review: ReviewMark;
  readonly evidence: Evidence | null;
}

export type SortField = "number" | "class" | "volume" | "axis" | "probability" | "region" | "change" | "review";

export interface TableView {
  readonly sort: SortField;
  readonly isDescending: boolean;
  readonly lesionClass: LesionClass | "all";
  /** Longest axis in mm that a lesion needs to be listed. */
  readonly leastAxisMm: number;
  readonly region: Region | "all";
  readonly change: LesionChange | "all";
  readonly review: ReviewMark | "all";
  readonly probability: ProbabilityRange | "all";
}

/** Mean probabilities of lesions that are listed together; those of lesions that a reader drew are not known, and in none. */
export const PROBABILITY_RANGES = {
  below_70: { least: 0, below: 0.7 }, below_80: { least: 0, below: 0.8 }, from_70: { least: 0.7, below: Infinity }, from_80: { least: 0.8, below: Infinity },
} as const;

export type ProbabilityRange = keyof typeof PROBABILITY_RANGES;

/** A filter that lets every lesion through. */
export const ALL_LESIONS = { lesionClass: "all", leastAxisMm: 0, region: "all", change: "all", review: "all", probability: "all" } as const;

export const DEFAULT_VIEW: TableView = { sort: "number", isDescending: false, ...ALL_LESIONS };

interface LesionTable {
  readonly view: TableView;
  look(change: Partial<TableView>): void;
  /** Sorts by a field; the second time the other way round. */
  sortBy(field: SortField): void;
}

/** How the lesion table is looked at; it stays from study to study. */
export const useLesionTable = create<LesionTable>()((set) => ({
  view: DEFAULT_VIEW,
  look: (change) => set(({ view }) => ({ view: { ...view, ...change } })),
  sortBy: (sort) =>
    set(({ view }) => ({ view: { ...view, sort, isDescending: view.sort === sort ? !view.isDescending : LARGEST_FIRST.has(sort) } })),
}));

const LARGEST_FIRST: ReadonlySet<SortField> = new Set(["volume", "axis", "probability"]);

/** In the order of the criteria's lists. */
export const REGIONS: readonly Region[] = ["periventricular", "juxtacortical", "infratentorial", "deep_white_matter", "not_determined"];

/** What asks for attention comes first. */
export const CHANGES: readonly LesionChange[] = CHANGE_KINDS;
export const REVIEW_MARKS: readonly ReviewMark[] = ["predicted", "confirmed", "reclassified", "added"];

/** Both maps are by the lesion's number; `takers` are those of the lesions that took up contrast agent. */
export function rowsOf(
  lesions: readonly Lesion[], statements: ReadonlyMap<number, Statement>, changes: ReadonlyMap<number, LesionChange> | null,
  takers: ReadonlySet<Lesion> = new Set(),
): LesionRow[] {
  return lesions.map((lesion) => {
    const statement = statements.get(lesion.number);
    const evidence = statement?.evidence ?? lesion.evidence;
    return { lesion, change: changes?.get(lesion.number) ?? null, takesUp: takers.has(lesion), review: reviewOf(statement, evidence), evidence };
  });
}

/** How many lesions of each class are no longer only predicted. */
export function saidByReaders(rows: readonly LesionRow[]): ByClass {
  const count = (lesionClass: LesionClass) => rows.filter(({ lesion, review }) => lesion.lesion_class === lesionClass && review !== "predicted").length;
  return { active: count("active"), inactive: count("inactive") };
}

function reviewOf(statement: Statement | undefined, evidence: Evidence | null): ReviewMark {
  if (statement && statement.kind !== "false_positive") return statement.kind;
  return evidence ? "confirmed" : "predicted";
}

/** The rows that a view lists, in its order; rows that are equal there keep the order of their numbers. */
export function listed(rows: readonly LesionRow[], view: TableView): LesionRow[] {
  const direction = view.isDescending ? -1 : 1;
  return rows
    .filter((row) => isListed(row, view))
    .toSorted((first, second) => direction * compare(first, second, view.sort) || first.lesion.number - second.lesion.number);
}

export function isFiltered({ lesionClass, leastAxisMm, region, change, review, probability }: TableView): boolean {
  return lesionClass !== "all" || leastAxisMm > 0 || region !== "all" || change !== "all" || review !== "all" || probability !== "all";
}

function isListed({ lesion, change, review }: LesionRow, view: TableView): boolean {
  return (view.lesionClass === "all" || lesion.lesion_class === view.lesionClass)
    && lesion.longest_axis_mm >= view.leastAxisMm
    && (view.region === "all" || lesion.region === view.region)
    && (view.change === "all" || change === view.change)
    && (view.review === "all" || review === view.review)
    && (view.probability === "all" || isWithin(lesion.mean_probability, view.probability));
}

function isWithin(probability: number | null, range: ProbabilityRange): boolean {
  const { least, below } = PROBABILITY_RANGES[range];
  return probability !== null && probability >= least && probability < below;
}

function compare(first: LesionRow, second: LesionRow, field: SortField): number {
  return KEYS[field](first) - KEYS[field](second);
}

/** What is not known comes last where the smallest comes first. */
const KEYS: Readonly<Record<SortField, (row: LesionRow) => number>> = {
  number: ({ lesion }) => lesion.number,
  class: ({ lesion }) => LESION_CLASSES.indexOf(lesion.lesion_class),
  volume: ({ lesion }) => lesion.volume_ml,
  axis: ({ lesion }) => lesion.longest_axis_mm,
  probability: ({ lesion }) => lesion.mean_probability ?? 0,
  region: ({ lesion }) => REGIONS.indexOf(lesion.region),
  change: ({ change }) => (change ? CHANGES.indexOf(change) : CHANGES.length),
  review: ({ review }) => REVIEW_MARKS.indexOf(review),
};
