import { bodyOf, client, csrfToken } from "./client";
import { problemOf, unreachable } from "./problem";
import type { Upload } from "./types";

const UPLOADS_URL = "/api/v1/uploads";

/** A file with the path it had inside the folder that was dropped. */
export interface NamedFile {
  readonly file: File;
  readonly path: string;
}

/** Requests stay under these, so that one broken connection does not cost a whole archive. */
const MOST_FILES_A_REQUEST = 500;
const MOST_BYTES_A_REQUEST = 512 * 2 ** 20;

export function fetchUpload(id: string, signal: AbortSignal): Promise<Upload> {
  return bodyOf(client.GET("/api/v1/uploads/{upload_id}", { params: { path: { upload_id: id } }, signal }));
}

/** Files in the order given, cut into requests; a file larger than the limit travels alone. */
export function batchesOf(files: readonly NamedFile[]): NamedFile[][] {
  const batches: NamedFile[][] = [];
  let bytes = 0;
  for (const named of files) {
    const batch = batches.at(-1);
    const isFull = !batch || batch.length >= MOST_FILES_A_REQUEST || bytes + named.file.size > MOST_BYTES_A_REQUEST;
    if (isFull) {
      batches.push([named]);
      bytes = named.file.size;
    } else {
      batch.push(named);
      bytes += named.file.size;
    }
  }
  return batches;
}

export interface SendOptions {
  /** Null where the sender belongs to one site only. */
  readonly site: string | null;
  onSent(bytes: number): void;
  readonly signal: AbortSignal;
}

/** Sends one batch; `onSent` hears the bytes sent. XMLHttpRequest, since fetch tells nothing of what it has sent. */
export function sendBatch(batch: readonly NamedFile[], options: SendOptions): Promise<Upload> {
  const { site, onSent, signal } = options;
  const form = new FormData();
  if (site) form.append("site", site);
  for (const { file, path } of batch) form.append("file", file, path);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", UPLOADS_URL);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onSent(event.loaded));
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(new DOMException("The upload was stopped.", "AbortError")));
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(request.response as Upload);
      else reject(problemOf(request.status, request.response));
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
