/** Review of a version and what is said about a study. */
import type { LesionClass } from "../geometry/labels";
import { jsonOf } from "./json";
import type { Annotation } from "./types";

/** Slice, row and column of a voxel. */
export type Anchor = readonly [slice: number, row: number, column: number];

/** What a confirmation rests on. */
export type Evidence = "post_gadolinium" | "prior" | "reader_opinion";

/** What a reader says about one lesion. */
export interface Statement {
  readonly id: string;
  readonly kind: "confirmed" | "reclassified" | "false_positive" | "added";
  readonly anchor: Anchor;
  readonly lesion_class: LesionClass;
  readonly evidence: Evidence | null;
  readonly reason: string;
  readonly author?: string;
  readonly created?: string;
}

export interface ReviewStep {
  readonly step: "submitted" | "approved" | "returned";
  readonly by: string;
  readonly at: string;
  readonly comment: string;
}

/** What a version has once a reader had a hand in it. */
export interface Reviewed {
  readonly base: string | null;
  readonly base_version: number | null;
  readonly statements: readonly Statement[];
  readonly review: readonly ReviewStep[];
}

/** A version as a list tells it. */
export type Version = Pick<Annotation, "id" | "series" | "version" | "state" | "author" | "model" | "created" | "lesion_counts" | "lesion_volumes_ml" | "counting_rule">;

export interface StudyComment {
  readonly id: string;
  readonly author: string;
  readonly created: string;
  readonly text: string;
  readonly annotation: string | null;
  readonly anchor: Anchor | null;
  readonly resolved_at: string | null;
  readonly resolved_by: string | null;
}

export interface NewComment {
  readonly text: string;
  readonly annotation?: string;
  readonly anchor?: Anchor;
}

/** Lists come whole or by page; a study has few of either. */
type Listed<Row> = readonly Row[] | { readonly results: readonly Row[] };

function rowsOf<Row>(listed: Listed<Row>): readonly Row[] {
  return "results" in listed ? listed.results : listed;
}

export async function fetchVersions(study: string): Promise<readonly Version[]> {
  return rowsOf(await jsonOf<Listed<Version>>("GET", `/api/v1/studies/${study}/annotations?page_size=200`));
}

export async function fetchComments(study: string): Promise<readonly StudyComment[]> {
  return rowsOf(await jsonOf<Listed<StudyComment>>("GET", `/api/v1/studies/${study}/comments`));
}

export function addComment(study: string, comment: NewComment): Promise<StudyComment> {
  return jsonOf("POST", `/api/v1/studies/${study}/comments`, comment);
}

export function resolveComment(id: string): Promise<StudyComment> {
  return jsonOf("POST", `/api/v1/comments/${id}/resolve`);
}

export function approve(annotation: string, comment: string): Promise<Annotation> {
  return jsonOf("POST", `/api/v1/annotations/${annotation}/approve`, { comment });
}

export function returnForCorrection(annotation: string, comment: string): Promise<Annotation> {
  return jsonOf("POST", `/api/v1/annotations/${annotation}/return`, { comment });
}
