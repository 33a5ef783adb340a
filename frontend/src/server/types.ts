/** The nouns of the HTTP interface under short names. Their fields come from the server's own OpenAPI document. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type StudyState = Schemas["StudyState"];
export type JobState = Schemas["JobState"];
export type JobStage = Schemas["JobStage"];
export type FileOutcome = Schemas["UploadFileOutcomeEnum"];
export type Action = Schemas["Action"];

/** A number for each lesion class. */
export type ByClass = Readonly<Schemas["LesionCounts"]>;

export type Me = Schemas["Me"];
export type SignIn = Schemas["SignIn"];
export type Patient = Schemas["PatientDetail"];
export type Study = Schemas["Study"];
export type StudyDetail = Schemas["StudyDetail"];
export type Series = Schemas["Series"];
export type SeriesChoice = Schemas["SeriesChoice"];
export type Job = Schemas["Job"];
/** The latest job as a study shows it: its state and stage are told as plain text. */
export type JobSummary = Schemas["JobSummary"];
export type ModelReference = Schemas["ModelReference"];
export type Annotation = Schemas["AnnotationDetail"];
export type Lesion = Schemas["Lesion"];
export type Region = Lesion["region"];
/** Where the lesions of a version lie, as far as it is known. */
export type Regions = Schemas["RegionSummary"];
export type ModelVersion = Schemas["ModelVersion"];
export type Upload = Schemas["Upload"];
export type UploadedFile = Schemas["UploadFile"];
export type Summary = Schemas["Summary"];
export type Slice = Schemas["Slice"];
/** A study of a patient's course, with what was counted in it and what changed since its prior. */
export type Protocol = Schemas["Protocol"];
export type Visit = Schemas["Visit"];
export type Timeline = Schemas["Timeline"];
export type SameSlices = Schemas["SameSlices"];

type SeriesSlices = Schemas["SeriesSlices"];

/** Slices that make a volume: what can be drawn as a stack. */
export type SliceStack = Omit<SeriesSlices, "affine" | "shape" | "window"> & {
  readonly [Field in "affine" | "shape" | "window"]: NonNullable<SeriesSlices[Field]>;
};

type QueryOf<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Query } } } ? NonNullable<Query> : never;

export type StudyFilter = QueryOf<"/api/v1/studies">;
export type JobFilter = QueryOf<"/api/v1/jobs">;
