/** One function for each thing that the pages read or ask for. */
import type { LabelVolume } from "../geometry/labels";
import { decodeMask } from "../geometry/mask_codec";
import { bodyOf, bytesOf, client } from "./client";
import { ProblemError } from "./problem";
import type {
  Annotation, Job, JobFilter, Lesion, ModelVersion, Patient, Protocol, SameSlices, SliceStack, StudyDetail, StudyFilter, Summary, Timeline,
} from "./types";

const LARGEST_PAGE = 200;
const CONFLICT = 409;

export function fetchStudies(query: StudyFilter) {
  return bodyOf(client.GET("/api/v1/studies", { params: { query } }));
}

export function fetchSummary(): Promise<Summary> {
  return bodyOf(client.GET("/api/v1/summary"));
}

export function fetchStudy(id: string): Promise<StudyDetail> {
  return bodyOf(client.GET("/api/v1/studies/{study_id}", { params: { path: { study_id: id } } }));
}

/** Against the prior that is named, or else the newest. */
export function fetchProtocol(study: string, prior: string | null): Promise<Protocol> {
  const params = { path: { study_id: study }, query: prior === null ? {} : { prior } };
  return bodyOf(client.GET("/api/v1/studies/{study_id}/protocol", { params }));
}

export function chooseFlair(study: string, series: string): Promise<StudyDetail> {
  const params = { path: { study_id: study } };
  return bodyOf(client.PATCH("/api/v1/studies/{study_id}", { params, body: { flair_series: series } }));
}

export function requestInference(study: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/studies/{study_id}/inferences", { params: { path: { study_id: study } } }));
}

export function cancelJob(id: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }));
}

export function retryJob(id: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/jobs/{job_id}/retry", { params: { path: { job_id: id } } }));
}

export function fetchJobs(query: JobFilter) {
  return bodyOf(client.GET("/api/v1/jobs", { params: { query } }));
}

export function fetchPatient(id: string): Promise<Patient> {
  return bodyOf(client.GET("/api/v1/patients/{patient_id}", { params: { path: { patient_id: id } } }));
}

export function fetchTimeline(patient: string): Promise<Timeline> {
  return bodyOf(client.GET("/api/v1/patients/{patient_id}/timeline", { params: { path: { patient_id: patient } } }));
}

export function fetchSameSlices(patient: string): Promise<SameSlices> {
  return bodyOf(client.GET("/api/v1/patients/{patient_id}/timeline/slices", { params: { path: { patient_id: patient } } }));
}

export async function fetchModels(): Promise<ModelVersion[]> {
  return (await bodyOf(client.GET("/api/v1/models", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

/** The slices of a series; a ProblemError says why they make no volume. */
export async function fetchSlices(series: string): Promise<SliceStack> {
  const { affine, shape, window, ...rest } = await bodyOf(client.GET("/api/v1/series/{series_id}/slices", { params: { path: { series_id: series } } }));
  if (!affine || !shape || !window) {
    const why = rest.problems.join(". ") || "The server gave no reason.";
    throw new ProblemError(CONFLICT, "These slices make no volume", why, "no_volume", []);
  }
  return { ...rest, affine, shape, window };
}

export function fetchAnnotation(id: string): Promise<Annotation> {
  return bodyOf(client.GET("/api/v1/annotations/{annotation_id}", { params: { path: { annotation_id: id } } }));
}

/** Every lesion of an annotation, all pages of it. */
export async function fetchLesions(annotation: string): Promise<Lesion[]> {
  const lesions: Lesion[] = [];
  for (let page = 1; ; page += 1) {
    const params = { path: { annotation_id: annotation }, query: { page, page_size: LARGEST_PAGE } };
    // oxlint-disable-next-line no-await-in-loop -- whether there is a next page is known once this one is here
    const answer = await bodyOf(client.GET("/api/v1/annotations/{annotation_id}/lesions", { params }));
    lesions.push(...answer.results);
    if (!answer.next) return lesions;
  }
}

export async function fetchMask(annotation: string, signal?: AbortSignal): Promise<LabelVolume> {
  return decodeMask(await bytesOf(`/api/v1/annotations/${annotation}/mask`, signal));
}

export async function fetchBrainMask(annotation: string, signal?: AbortSignal): Promise<LabelVolume> {
  return decodeMask(await bytesOf(`/api/v1/annotations/${annotation}/brain-mask`, signal));
}
