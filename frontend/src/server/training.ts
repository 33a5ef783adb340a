/** Snapshots, training runs, and the gate through which a candidate becomes the champion. */
import { bodyOf, bytesOf, client, csrfToken } from "./client";
import { problemOf, unreachable } from "./problem";
import type { components } from "./schema";
import { reauthenticate } from "./session";

export type Snapshot = components["schemas"]["Snapshot"];
export type SnapshotStudy = components["schemas"]["SnapshotStudy"];
export type SnapshotRules = components["schemas"]["RulesRequest"];
export type WantedSnapshot = components["schemas"]["WantedSnapshotRequest"];
export type TrainingRun = components["schemas"]["Run"];
export type RunPoint = components["schemas"]["RunPoint"];
export type RunSample = components["schemas"]["RunSample"];
export type RunResources = components["schemas"]["Resources"];
export type GateVerdict = components["schemas"]["GateVerdict"];
export type Interval = components["schemas"]["Interval"];
export type Evaluation = components["schemas"]["Evaluation"];
export type Promotion = components["schemas"]["Promotion"];
export type Preflight = components["schemas"]["Preflight"];
export type Recipe = components["schemas"]["RecipeRequest"];
export type SnapshotDifference = components["schemas"]["SnapshotDifference"];

const LARGEST_PAGE = 200;
const NOT_FOUND = 404;

export async function fetchSnapshots(): Promise<Snapshot[]> {
  return (await bodyOf(client.GET("/api/v1/snapshots", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

export function requestSnapshot(wanted: WantedSnapshot): Promise<Snapshot> {
  return bodyOf(client.POST("/api/v1/snapshots", { body: wanted }));
}

/** What the snapshot looked at and did not take in, each with the reason; of very many the first. */
export async function fetchExclusions(snapshot: string): Promise<SnapshotStudy[]> {
  const params = { path: { snapshot_id: snapshot }, query: { excluded: true, page_size: LARGEST_PAGE } };
  return (await bodyOf(client.GET("/api/v1/snapshots/{snapshot_id}/studies", { params }))).results;
}

export async function fetchRuns(): Promise<TrainingRun[]> {
  return (await bodyOf(client.GET("/api/v1/runs", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

export function inspectRun(snapshot: string, recipe: Recipe): Promise<Preflight> {
  return bodyOf(client.POST("/api/v1/runs/preflight", { body: { snapshot, recipe } }));
}

export function requestRun(snapshot: string, recipe: Recipe): Promise<TrainingRun> {
  return bodyOf(client.POST("/api/v1/runs", { body: { snapshot, recipe } }));
}

/** What the snapshot has that the other has not, and the other way round. */
export function fetchDifference(snapshot: string, other: string): Promise<SnapshotDifference> {
  const params = { path: { snapshot_id: snapshot }, query: { other } };
  return bodyOf(client.GET("/api/v1/snapshots/{snapshot_id}/difference", { params }));
}

/** A frozen snapshot as one archive: NIfTI, PNG pairs and the manifest. */
export function snapshotExportUrl(snapshot: string): string {
  return `/api/v1/snapshots/${snapshot}/export.zip`;
}

/** The same snapshot and recipe once more. */
export function repeatRun({ snapshot, recipe }: TrainingRun): Promise<TrainingRun> {
  return bodyOf(client.POST("/api/v1/runs", { body: { snapshot, recipe: recipe as Recipe } }));
}

export function cancelRun(id: string): Promise<TrainingRun> {
  return bodyOf(client.POST("/api/v1/runs/{run_id}/cancel", { params: { path: { run_id: id } } }));
}

export function fetchRun(id: string): Promise<TrainingRun> {
  return bodyOf(client.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: id } } }));
}

/** Slices of the validation side with what the expert and the network draw on them. */
export async function fetchSamples(run: string): Promise<RunSample[]> {
  return (await bodyOf(client.GET("/api/v1/runs/{run_id}/samples", { params: { path: { run_id: run } } }))).results;
}

export function runLogUrl(run: string): string {
  return `/api/v1/runs/${run}/log.txt`;
}

export async function fetchLog(run: string): Promise<string> {
  return new TextDecoder().decode(await bytesOf(runLogUrl(run)));
}

/** The steps of a run after this one, of many only every so many, and each that validated; all pages of them. */
export async function fetchPoints(run: string, { after, every }: { after: number; every: number }): Promise<RunPoint[]> {
  const points: RunPoint[] = [];
  for (let page = 1; ; page += 1) {
    const params = { path: { run_id: run }, query: { after, every, page, page_size: LARGEST_PAGE } };
    // oxlint-disable-next-line no-await-in-loop -- whether there is a next page is known once this one is here
    const answer = await bodyOf(client.GET("/api/v1/runs/{run_id}/points", { params }));
    points.push(...answer.results);
    if (!answer.next) return points;
  }
}

/** What the gate said of the model; null of one that it has not judged. */
export async function fetchVerdict(model: string): Promise<GateVerdict | null> {
  const { data, error, response } = await client.GET("/api/v1/models/{model_id}/gate", { params: { path: { model_id: model } } });
  if (response.status === NOT_FOUND) return null;
  if (!data) throw problemOf(response.status, error);
  return data;
}

/** When the model was tried beside the champion, the newest first. */
export async function fetchEvaluations(model: string): Promise<Evaluation[]> {
  return (await bodyOf(client.GET("/api/v1/models/{model_id}/evaluations", { params: { path: { model_id: model } } }))).results;
}

export async function fetchAllEvaluations(): Promise<Evaluation[]> {
  return (await bodyOf(client.GET("/api/v1/evaluations", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

export function cancelEvaluation(id: string): Promise<Evaluation> {
  return bodyOf(client.POST("/api/v1/evaluations/{evaluation_id}/cancel", { params: { path: { evaluation_id: id } } }));
}

export function requestEvaluation(model: string): Promise<Evaluation> {
  return bodyOf(client.POST("/api/v1/models/{model_id}/evaluations", { params: { path: { model_id: model } } }));
}

/** Where a model lies as one signed file. */
export function modelFileUrl(model: string): string {
  return `/api/v1/models/${model}/file`;
}

/** A signed file of another installation, as a candidate; the server says why it refuses one. */
export async function importModel(file: File): Promise<void> {
  const body = new FormData();
  body.append("file", file);
  const response = await fetch("/api/v1/models/import", {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRFToken": csrfToken() },
    body,
  }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
}

interface Wish {
  readonly comment: string;
  readonly override: boolean;
  readonly password: string;
}

/** The password first: only who has just given it may promote. */
export async function promoteModel(model: string, { comment, override, password }: Wish): Promise<Promotion> {
  await reauthenticate(password);
  const params = { path: { model_id: model } };
  return bodyOf(client.POST("/api/v1/models/{model_id}/promote", { params, body: { comment, override } }));
}

export function rollBackModel(model: string): Promise<Promotion> {
  return bodyOf(client.POST("/api/v1/models/{model_id}/rollback", { params: { path: { model_id: model } }, body: { comment: "" } }));
}
