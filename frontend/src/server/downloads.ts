/** Addresses that the browser opens by itself. */
export function maskDownloadUrl(annotation: string): string {
  return `/api/v1/annotations/${annotation}/mask.nii.gz`;
}
