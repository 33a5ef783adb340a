import { create } from "zustand";

import { ProblemError } from "../server/problem";
import type { Upload, UploadedFile } from "../server/types";
import { batchesOf, fetchUpload, sendBatch, type NamedFile } from "../server/uploads";
import { feed } from "./live";
import { queryClient } from "./queries";

/** The socket tells of progress; this is how often an upload is asked for when the socket is silent. */
const POLL_MS = 2_000;

export interface UploadProgress {
  readonly phase: "idle" | "sending" | "processing" | "done" | "failed" | "stopped";
  readonly fileCount: number;
  readonly bytesTotal: number;
  readonly bytesSent: number;
  /** 0 to 1, of the server's own work on the batch it has */
  readonly processed: number;
  readonly files: readonly UploadedFile[];
  readonly studies: readonly string[];
  readonly problem: string;
}

const IDLE: UploadProgress = {
  phase: "idle", fileCount: 0, bytesTotal: 0, bytesSent: 0, processed: 0, files: [], studies: [], problem: "",
};

export interface Uploading extends UploadProgress {
  /** Sends files batch by batch; a second call while one runs is queued behind it. */
  send(files: readonly NamedFile[], site: string | null): Promise<void>;
  stop(): void;
  dismiss(): void;
}

let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

export const useUploading = create<Uploading>()((set, get) => {
  const sendAll = async (files: readonly NamedFile[], site: string | null) => {
    stopping = new AbortController();
    try {
      for (const batch of batchesOf(files)) {
        // oxlint-disable-next-line no-await-in-loop -- batches go one after the other
        await sendOne(batch, site);
      }
      set({ phase: "done" });
    } catch (error) {
      if (stopping.signal.aborted) set({ phase: "stopped" });
      else set({ phase: "failed", problem: error instanceof Error ? error.message : String(error) });
    }
    void queryClient.invalidateQueries({ queryKey: ["studies"] });
  };

  const sendOne = async (batch: readonly NamedFile[], site: string | null) => {
    const before = get().bytesSent;
    const size = batch.reduce((sum, { file }) => sum + file.size, 0);
    set({ phase: "sending", processed: 0 });
    const upload = await sendBatch(batch, {
      site, signal: stopping.signal, onSent: (bytes) => set({ bytesSent: before + Math.min(bytes, size) }),
    });
    set({ phase: "processing", bytesSent: before + size });
    const finished = await untilProcessed(upload, (processed) => set({ processed }), stopping.signal);
    set(({ files, studies }) => ({
      files: [...files, ...finished.files],
      studies: [...new Set([...studies, ...finished.studies])],
    }));
    if (finished.state === "failed") throw new ProblemError(500, "Upload failed", failureOf(finished), "upload_failed", []);
  };

  return {
    ...IDLE,
    send: (files, site) => {
      const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
      set((now) => {
        const base = now.phase === "sending" || now.phase === "processing" ? now : IDLE;
        return { ...base, phase: "sending", fileCount: base.fileCount + files.length, bytesTotal: base.bytesTotal + bytes };
      });
      return (running = running.then(() => sendAll(files, site)));
    },
    stop: () => stopping.abort(),
    dismiss: () => set(IDLE),
  };
});

function failureOf(upload: Upload): string {
  return upload.reason || upload.files.find(({ reason }) => reason)?.reason || "The server could not process these files.";
}

/** The upload once the server is done with it: told by the socket, asked for where the socket is silent. */
async function untilProcessed(upload: Upload, onProgress: (progress: number) => void, signal: AbortSignal): Promise<Upload> {
  let wake: () => void = () => undefined;
  const unsubscribe = feed.subscribe({ topic: "upload", upload: upload.id }, (event) => {
    if (event.type === "upload.progress") onProgress(event.progress);
    if (event.type !== "upload.progress" || event.state === "done" || event.state === "failed") wake();
  });
  try {
    let current = upload;
    while (current.state !== "done" && current.state !== "failed") {
      signal.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop -- waits for the next sign of the server
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
      // oxlint-disable-next-line no-await-in-loop
      current = await fetchUpload(upload.id);
      onProgress(current.progress);
    }
    return current;
  } finally {
    unsubscribe();
  }
}
