/** The nouns of the HTTP interface, by its contract; ids are UUIDs, times ISO 8601 with zone. */
import type { LesionClass } from "../geometry/labels";

export type StudyState =
  | "receiving"
  | "incomplete"
  | "no_flair"
  | "queued"
  | "running"
  | "ready"
  | "failed"
  | "in_review"
  | "approved";

export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";
export type JobStage = "queued" | "loading" | "preprocessing" | "network" | "lesions" | "saving";
export type ByClass = Readonly<Record<LesionClass, number>>;

export interface Page<Row> {
  count: number;
  next: string | null;
  previous: string | null;
  results: Row[];
}

export interface Me {
  id: string;
  username: string;
  display_name: string;
  role: "admin" | "neurologist" | "integrator";
  sites: { id: string; name: string }[];
  actions: string[];
  feed_url: string;
  version: string;
  counting_rule: string;
}

export interface PatientRef {
  id: string;
  name: string;
  patient_id: string;
  birth_date: string | null;
  sex: string | null;
}

export interface Patient extends PatientRef {
  issuer_of_patient_id: string;
  site: { id: string; name: string };
  study_count: number;
  latest_study: { id: string; study_date: string | null } | null;
  lesion_counts: ByClass | null;
  counting_rule: string | null;
  studies?: Study[];
}

export interface ModelVersionRef {
  name: string;
  version: string;
  sha256: string;
}

export interface Job {
  id: string;
  study: string;
  series: string;
  state: JobState;
  /** 0 to 1 */
  progress: number;
  stage: JobStage;
  reason: string;
  attempts: number;
  requested_at: string;
  started_at: string | null;
  finished_at: string | null;
  requested_by: string | null;
  model: ModelVersionRef | null;
  annotation: string | null;
}

export interface AnnotationSummary {
  id: string;
  study: string;
  series: string;
  version: number;
  state: "predicted" | "draft" | "submitted" | "approved" | "returned";
  author: string | null;
  model: ModelVersionRef | null;
  created: string;
  lesion_counts: ByClass;
  lesion_volumes_ml: ByClass;
  counting_rule: string;
  claim: string;
  warnings: string[];
}

export interface Annotation extends AnnotationSummary {
  counts_by_slice: { active: number[]; inactive: number[] };
  shape: number[];
  seconds: Record<string, number>;
}

export interface Lesion {
  id: string;
  number: number;
  lesion_class: LesionClass;
  volume_ml: number;
  longest_axis_mm: number;
  voxel_count: number;
  centroid_mm: number[];
  /** slice, row, column */
  centroid_index: number[];
  slice_indices: number[];
  mean_probability: number | null;
}

export interface Series {
  id: string;
  series_instance_uid: string;
  series_number: number | null;
  modality: string;
  series_description: string;
  slice_count: number;
  rows: number | null;
  columns: number | null;
  /** slices, rows, columns */
  spacing_mm: number[] | null;
  completeness: { is_complete: boolean; problems: string[] } | null;
  source: "dicom" | "nifti";
  scanning_sequence: string | null;
  inversion_time_ms: number | null;
  echo_time_ms: number | null;
  repetition_time_ms: number | null;
}

export interface SeriesChoice {
  reason: string;
  overridden_by: string | null;
  candidates: { series: string; score: number; is_excluded: boolean; reasons: string[] }[];
}

/** A row of the worklist. */
export interface Study {
  id: string;
  study_instance_uid: string;
  patient: PatientRef;
  study_date: string | null;
  study_time: string | null;
  accession_number: string;
  study_description: string;
  institution_name: string;
  state: StudyState;
  state_reason: string;
  received_at: string;
  updated_at: string;
  instance_count: number;
  series_count: number;
  flair_series: string | null;
  annotation: AnnotationSummary | null;
  job: Job | null;
  lesion_counts: ByClass | null;
  lesion_volumes_ml: ByClass | null;
  counting_rule: string | null;
}

export interface StudyDetail extends Study {
  priors: { id: string; study_date: string | null }[];
  series_choice: SeriesChoice | null;
  series: Series[];
}

export interface SliceStack {
  series: string;
  study_instance_uid: string;
  series_instance_uid: string;
  /** Feet to head, as the volume's slices. */
  slices: { index: number; sop_instance_uid: string; instance_number: number; frame: number; position_mm: number[] }[];
  /** Row-major 4 × 4, (slice, row, column) to LPS mm. */
  affine: number[];
  shape: number[];
  window: { center: number; width: number };
}

export type FileOutcome = "accepted" | "duplicate" | "conflict" | "rejected";

export interface Upload {
  id: string;
  state: "receiving" | "processing" | "done" | "failed";
  /** 0 to 1 */
  progress: number;
  created: string;
  file_count: number;
  counts: Record<FileOutcome, number>;
  files: { name: string; outcome: FileOutcome; reason: string; study: string | null }[];
  studies: string[];
}

export interface ModelVersion extends ModelVersionRef {
  id: string;
  stage: "candidate" | "shadow" | "champion" | "retired";
  preprocessing_version: string;
  created: string;
  /** Markdown */
  card: string;
  metrics: Record<string, unknown>;
  caveat: string;
}

export interface Summary {
  studies_by_state: Partial<Record<StudyState, number>>;
  studies: number;
  patients: number;
}
