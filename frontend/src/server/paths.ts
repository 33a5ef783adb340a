/** The routes that the browser calls, in the shape that openapi-fetch reads. */
import type {
  Annotation, Job, Lesion, Me, ModelVersion, Page, Patient, SliceStack, Study, StudyDetail, StudyState, Summary, Upload,
} from "./types";

type Answer<Body> = { responses: { 200: { headers: Record<string, unknown>; content: { "application/json": Body } } } };
type InPath<Path> = Path extends undefined ? { path?: never } : { path: Path };
type Get<Body, Query = undefined, Path = undefined> = {
  get: { parameters: (Query extends undefined ? { query?: never } : { query?: Query }) & InPath<Path> } & Answer<Body>;
};
type Post<Body, Path = undefined> = { post: { parameters: { query?: never } & InPath<Path> } & Answer<Body> };
type ById = { id: string };
type Paging = { page?: number; page_size?: number };

export type StudyFilter = Paging & { state?: StudyState; search?: string; patient?: string; ordering?: string };

export interface Paths {
  "/api/v1/me": Get<Me>;
  "/api/v1/summary": Get<Summary>;
  "/api/v1/patients/{id}": Get<Patient, undefined, ById>;
  "/api/v1/studies": Get<Page<Study>, StudyFilter>;
  "/api/v1/studies/{id}": Get<StudyDetail, undefined, ById> & {
    patch: {
      parameters: { path: ById };
      requestBody: { content: { "application/json": { flair_series: string } } };
    } & Answer<StudyDetail>;
  };
  "/api/v1/studies/{id}/inferences": Post<Job, ById>;
  "/api/v1/studies/{id}/lesions": Get<Page<Lesion>, Paging, ById>;
  "/api/v1/series/{id}/slices": Get<SliceStack, undefined, ById>;
  "/api/v1/jobs": Get<Page<Job>, Paging & { state?: string; study?: string }>;
  "/api/v1/jobs/{id}/cancel": Post<Job, ById>;
  "/api/v1/jobs/{id}/retry": Post<Job, ById>;
  "/api/v1/annotations/{id}": Get<Annotation, undefined, ById>;
  "/api/v1/uploads/{id}": Get<Upload, undefined, ById>;
  "/api/v1/models": Get<Page<ModelVersion>, Paging>;
  "/api/v1/models/{id}": Get<ModelVersion, undefined, ById>;
}
