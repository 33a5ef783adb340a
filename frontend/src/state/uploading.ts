import { create } from "zustand";

import { isPassing, ProblemError } from "../server/problem";
import type { Upload, UploadedFile } from "../server/types";
import { batchesOf, fetchUpload, sendBatch, type NamedFile } from "../server/uploads";
import { feed } from "./live";
import { noticed, queryClient } from "./queries";

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
  /** Why files were not taken. */
  readonly problem: string;
  /** Why nothing is heard of what was sent, while it is asked for again and again. */
  readonly outage: string;
}

const IDLE: UploadProgress = {
  phase: "idle", fileCount: 0, bytesTotal: 0, bytesSent: 0, processed: 0, files: [], studies: [], problem: "", outage: "",
};

export interface Uploading extends UploadProgress {
  /** Sends files batch by batch; a second call while one runs is queued behind it. */
  send(files: readonly NamedFile[], site: string | null): Promise<void>;
  /** Nothing more is sent, nor what is queued; what the server has it goes on with. */
  stop(): void;
  dismiss(): void;
  /** Stops, and leaves no word of it. */
  forget(): void;
}

/** Ends what is sent and what is queued behind it; whatever is sent after that has another one. */
let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

export const useUploading = create<Uploading>()((set, get) => {
  /** What an upload has to say is heard until it was forgotten, or another began after it was stopped. */
  const tell = (stopped: AbortSignal, change: (now: UploadProgress) => Partial<UploadProgress>) => {
    if (stopped === stopping.signal) set(change);
  };

  const sendAll = async (files: readonly NamedFile[], site: string | null, stopped: AbortSignal) => {
    try {
      for (const batch of batchesOf(files)) {
        stopped.throwIfAborted();
        // oxlint-disable-next-line no-await-in-loop -- batches go one after the other
        await sendOne(batch, site, stopped);
      }
      tell(stopped, ({ problem }) => ({ phase: problem ? "failed" : "done" }));
    } catch (error) {
      const end = stopped.aborted ? { phase: "stopped" } as const : { phase: "failed", problem: error instanceof Error ? error.message : String(error) } as const;
      tell(stopped, () => ({ ...end, outage: "" }));
    }
    void queryClient.invalidateQueries({ queryKey: ["studies"] });
  };

  const sendOne = async (batch: readonly NamedFile[], site: string | null, stopped: AbortSignal) => {
    const before = get().bytesSent;
    const size = batch.reduce((sum, { file }) => sum + file.size, 0);
    tell(stopped, () => ({ phase: "sending", processed: 0 }));
    const onSent = (bytes: number) => tell(stopped, () => ({ bytesSent: before + Math.min(bytes, size) }));
    const upload = await noticed(sendBatch(batch, { site, signal: stopped, onSent }));
    tell(stopped, () => ({ phase: "processing", bytesSent: before + size }));
    const finished = await untilProcessed(upload, (heard) => tell(stopped, () => heard), stopped);
    tell(stopped, ({ files, studies }) => ({
      files: [...files, ...finished.files],
      studies: [...new Set([...studies, ...finished.studies])],
    }));
    if (finished.state === "failed") throw new ProblemError(500, "Upload failed", failureOf(finished), "upload_failed", []);
  };

  const begin = () => {
    stopping = new AbortController();
    running = Promise.resolve();
    set(IDLE);
  };

  return {
    ...IDLE,
    send: (files, site) => {
      const { phase } = get();
      if ((phase !== "sending" && phase !== "processing") || stopping.signal.aborted) begin();
      const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
      set(({ fileCount, bytesTotal }) => ({ phase: "sending", fileCount: fileCount + files.length, bytesTotal: bytesTotal + bytes }));
      const { signal } = stopping;
      return (running = running.then(() => sendAll(files, site, signal)));
    },
    stop: () => stopping.abort(),
    dismiss: () => set(IDLE),
    forget: () => {
      stopping.abort();
      begin();
    },
  };
});

function failureOf(upload: Upload): string {
  return upload.reason || upload.files.find(({ reason }) => reason)?.reason || "The server could not process these files.";
}

type Heard = Partial<Pick<UploadProgress, "processed" | "outage">>;

/** The upload once the server is done with it: told by the socket, asked for where the socket is silent. */
async function untilProcessed(upload: Upload, onHeard: (heard: Heard) => void, stopped: AbortSignal): Promise<Upload> {
  let wake: () => void = () => undefined;
  const unsubscribe = feed.subscribe({ topic: "upload", upload: upload.id }, (event) => {
    if (event.type === "upload.progress") onHeard({ processed: event.progress });
    if (event.type !== "upload.progress" || event.state === "done" || event.state === "failed") wake();
  });
  stopped.addEventListener("abort", () => wake());
  try {
    let current = upload;
    while (current.state !== "done" && current.state !== "failed") {
      stopped.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop -- waits for the next sign of the server
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
      // oxlint-disable-next-line no-await-in-loop
      current = await askedAgain(current, onHeard, stopped);
    }
    return current;
  } finally {
    unsubscribe();
  }
}

/** The upload as the server knows it now, or as it was while the server is out of reach. */
async function askedAgain(known: Upload, onHeard: (heard: Heard) => void, stopped: AbortSignal): Promise<Upload> {
  try {
    const found = await noticed(fetchUpload(known.id, stopped));
    onHeard({ processed: found.progress, outage: "" });
    return found;
  } catch (error) {
    if (!isPassing(error)) throw error;
    onHeard({ outage: error.message });
    return known;
  }
}
