/** One function for each thing that the pages read or ask for. */
import { decodeMask } from "../geometry/mask_codec";
import type { LabelVolume } from "../geometry/labels";
import { bodyOf, bytesOf, client } from "./client";
import type { StudyFilter } from "./paths";
import type { Annotation, Job, Lesion, ModelVersion, Page, Patient, SliceStack, Study, StudyDetail, Summary } from "./types";

const LARGEST_PAGE = 200;

const byId = (id: string) => ({ params: { path: { id } } });

export function fetchStudies(filter: StudyFilter): Promise<Page<Study>> {
  return bodyOf(client.GET("/api/v1/studies", { params: { query: filter } }));
}

export function fetchSummary(): Promise<Summary> {
  return bodyOf(client.GET("/api/v1/summary"));
}

export function fetchStudy(id: string): Promise<StudyDetail> {
  return bodyOf(client.GET("/api/v1/studies/{id}", byId(id)));
}

export function chooseFlair(id: string, series: string): Promise<StudyDetail> {
  return bodyOf(client.PATCH("/api/v1/studies/{id}", { ...byId(id), body: { flair_series: series } }));
}

export function requestInference(study: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/studies/{id}/inferences", byId(study)));
}

export function cancelJob(id: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/jobs/{id}/cancel", byId(id)));
}

export function retryJob(id: string): Promise<Job> {
  return bodyOf(client.POST("/api/v1/jobs/{id}/retry", byId(id)));
}

export function fetchJobs(filter: { state?: string; page?: number; page_size?: number }): Promise<Page<Job>> {
  return bodyOf(client.GET("/api/v1/jobs", { params: { query: filter } }));
}

export function fetchPatient(id: string): Promise<Patient> {
  return bodyOf(client.GET("/api/v1/patients/{id}", byId(id)));
}

export async function fetchModels(): Promise<ModelVersion[]> {
  return (await bodyOf(client.GET("/api/v1/models"))).results;
}

export function fetchSlices(series: string): Promise<SliceStack> {
  return bodyOf(client.GET("/api/v1/series/{id}/slices", byId(series)));
}

export function fetchAnnotation(id: string): Promise<Annotation> {
  return bodyOf(client.GET("/api/v1/annotations/{id}", byId(id)));
}

/** Every lesion of the study's current annotation, all pages of it. */
export async function fetchLesions(study: string): Promise<Lesion[]> {
  const lesions: Lesion[] = [];
  for (let page = 1; ; page += 1) {
    const query = { page, page_size: LARGEST_PAGE };
    // eslint-disable-next-line no-await-in-loop -- the next page exists only once this one says so
    const answer = await bodyOf(client.GET("/api/v1/studies/{id}/lesions", { params: { path: { id: study }, query } }));
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
