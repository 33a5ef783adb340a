import { ActionIcon, Button, Progress } from "@mantine/core";
import { Link } from "react-router";

import type { FileOutcome, UploadedFile } from "../server/types";
import { useUploading, type Uploading, type UploadProgress } from "../state/uploading";
import { BusyButton } from "./busy_button";
import { bytesText, countText } from "./formats";
import { Icon } from "./icons";
import { useKeptPlace } from "./kept_place";
import styles from "./upload_dock.module.css";

const OUTCOMES: Readonly<Record<FileOutcome, string>> = {
  accepted: "accepted",
  duplicate: "already here",
  conflict: "conflict",
  rejected: "rejected",
  waiting: "waiting",
};

/** Refusals first: they are what a user has to act on. */
const OUTCOME_ORDER: readonly FileOutcome[] = ["conflict", "rejected", "waiting", "duplicate", "accepted"];

/** The lists of large archives stay short on the page; the rest is counted. */
const MOST_FILES_LISTED = 200;

/** What happens to the files that were dropped, on every page, until it is dismissed. */
export function UploadDock() {
  const uploading = useUploading();
  return uploading.phase === "idle" ? null : <UploadReport uploading={uploading} />;
}

function UploadReport({ uploading }: { uploading: Uploading }) {
  const place = useKeptPlace<HTMLElement>();
  // Refusals stay in sight until somebody has read them.
  const isWell = uploading.phase === "done" && uploading.files.every(({ outcome }) => outcome === "accepted" || outcome === "duplicate");
  const isBusy = uploading.phase === "sending" || uploading.phase === "processing";
  return (
    <section ref={place} className={styles.dock} aria-label="Upload" data-testid="upload-dock" data-phase={uploading.phase}>
      <header className={styles.header}>
        <strong>{titleOf(uploading)}</strong>
        {isBusy ? (
          <BusyButton variant="default" size="compact-xs" onClick={uploading.stop}>Stop</BusyButton>
        ) : (
          <ActionIcon size="sm" onClick={uploading.dismiss} aria-label="Dismiss the upload report"><Icon name="close" /></ActionIcon>
        )}
      </header>
      <UploadProgressLine uploading={uploading} />
      {uploading.outage && <p className={styles.problem} role="status">{`${uploading.outage} The page goes on asking.`}</p>}
      {uploading.problem && <p className={styles.problem} role="alert">{uploading.problem}</p>}
      <Outcomes files={uploading.files} />
      {uploading.studies.length > 0 && (
        <footer className={styles.footer}>
          {uploading.studies.slice(0, 6).map((study, order) => (
            <Button key={study} component={Link} to={`/studies/${study}`} onClick={() => isWell && uploading.dismiss()} variant="light" size="compact-sm" data-testid="upload-study">
              {uploading.studies.length === 1 ? "Open the study" : `Open study ${order + 1}`}
            </Button>
          ))}
        </footer>
      )}
    </section>
  );
}

function titleOf({ phase, fileCount }: UploadProgress): string {
  const files = countText(fileCount, "file");
  if (phase === "sending") return `Uploading ${files}`;
  if (phase === "processing") return `Reading ${files}`;
  if (phase === "failed") return "The upload failed";
  if (phase === "stopped") return "The upload was stopped";
  return `Uploaded ${files}`;
}

function UploadProgressLine({ uploading }: { uploading: UploadProgress }) {
  const { phase, bytesSent, bytesTotal, processed } = uploading;
  if (phase !== "sending" && phase !== "processing") return null;
  const share = phase === "sending" ? bytesSent / Math.max(1, bytesTotal) : processed;
  return (
    <div className={styles.progress}>
      <Progress value={share * 100} size="sm" aria-label={phase === "sending" ? "Bytes sent" : "Files read"} />
      <span className="number">
        {phase === "sending" ? `${bytesText(bytesSent)} of ${bytesText(bytesTotal)}` : `${Math.round(processed * 100)} % read by the server`}
      </span>
    </div>
  );
}

function Outcomes({ files }: { files: readonly UploadedFile[] }) {
  if (files.length === 0) return null;
  const sorted = files.toSorted((first, second) => OUTCOME_ORDER.indexOf(first.outcome) - OUTCOME_ORDER.indexOf(second.outcome));
  const counts = OUTCOME_ORDER.toReversed().flatMap((outcome) => {
    const count = files.filter((file) => file.outcome === outcome).length;
    return count > 0 ? [{ outcome, count }] : [];
  });
  return (
    <>
      <p className={styles.counts}>
        {counts.map(({ outcome, count }) => (
          <span key={outcome} data-outcome={outcome}>{`${count} ${OUTCOMES[outcome]}`}</span>
        ))}
      </p>
      <ul className={styles.files}>
        {sorted.slice(0, MOST_FILES_LISTED).map((file, order) => (
          <li key={`${file.name}/${order}`} data-outcome={file.outcome} data-testid="upload-file">
            <span className={styles.name} title={file.name}>{file.name}</span>
            <span className={styles.outcome}>{OUTCOMES[file.outcome]}</span>
            {file.reason && <span className={styles.reason}>{file.reason}</span>}
          </li>
        ))}
        {files.length > MOST_FILES_LISTED && <li>{`and ${files.length - MOST_FILES_LISTED} more`}</li>}
      </ul>
    </>
  );
}
