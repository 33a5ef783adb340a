/** Review of a version and what is said about a study. */
import { point3 } from "../geometry/affine";
import type { LesionClass } from "../geometry/labels";
import { bodyOf, client } from "./client";
import type { components } from "./schema";
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

export type ReviewStep = components["schemas"]["ReviewStep"];

/** A version as a list tells it. */
export type Version = components["schemas"]["Annotation"];

export type StudyComment = Omit<components["schemas"]["Comment"], "anchor" | "annotation"> & {
  readonly annotation: string | null;
  readonly anchor: Anchor | null;
};

export interface NewComment {
  readonly text: string;
  readonly annotation?: string;
  readonly anchor?: Anchor;
}

/** A study has few of either; what goes beyond one page of the largest size is left out, the oldest first. */
const LARGEST_PAGE = { page_size: 200 } as const;

export async function fetchVersions(study: string): Promise<Version[]> {
  const params = { path: { study_id: study }, query: LARGEST_PAGE };
  return (await bodyOf(client.GET("/api/v1/studies/{study_id}/annotations", { params }))).results;
}

export async function fetchComments(study: string): Promise<StudyComment[]> {
  const params = { path: { study_id: study }, query: LARGEST_PAGE };
  return (await bodyOf(client.GET("/api/v1/studies/{study_id}/comments", { params }))).results.map(commentOf);
}

export async function addComment(study: string, { text, annotation, anchor }: NewComment): Promise<StudyComment> {
  const params = { path: { study_id: study } };
  const body = { text, ...(annotation ? { annotation } : {}), ...(anchor ? { anchor: [...anchor] } : {}) };
  return commentOf(await bodyOf(client.POST("/api/v1/studies/{study_id}/comments", { params, body })));
}

export async function resolveComment(id: string): Promise<StudyComment> {
  return commentOf(await bodyOf(client.POST("/api/v1/comments/{comment_id}/resolve", { params: { path: { comment_id: id } } })));
}

export function approve(annotation: string, comment: string): Promise<Annotation> {
  return bodyOf(client.POST("/api/v1/annotations/{annotation_id}/approve", { params: { path: { annotation_id: annotation } }, body: { comment } }));
}

export function returnForCorrection(annotation: string, comment: string): Promise<Annotation> {
  return bodyOf(client.POST("/api/v1/annotations/{annotation_id}/return", { params: { path: { annotation_id: annotation } }, body: { comment } }));
}

function commentOf({ anchor, annotation, ...comment }: components["schemas"]["Comment"]): StudyComment {
  return { ...comment, annotation: annotation ?? null, anchor: anchor ? point3(anchor) : null };
}
