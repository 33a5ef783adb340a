/** Addresses that the browser opens by itself. */
export function maskDownloadUrl(annotation: string): string {
  return `/api/v1/annotations/${annotation}/mask.nii.gz`;
}

/** The documents of a version, by the end of their address. */
export const DOCUMENTS = ["report.pdf", "lesions.csv", "fhir"] as const;

export type DocumentName = (typeof DOCUMENTS)[number];

export function documentUrl(annotation: string, name: DocumentName): string {
  return `/api/v1/annotations/${annotation}/${name}`;
}

/** For research: without the patient, as a zip. */
export function deidentifiedUrl(study: string): string {
  return `/api/v1/studies/${study}/deidentified.zip`;
}

export function timelineCsvUrl(patient: string): string {
  return `/api/v1/patients/${patient}/timeline.csv`;
}
