import { useEffect, useEffectEvent, useState, type ReactNode } from "react";

import type { NamedFile } from "../server/uploads";
import styles from "./drop_zone.module.css";
import { filesOfDrop, filesOfInput } from "./dropped_files";
import { Icon } from "./icons";

export interface FileChooser {
  chooseFiles(): void;
  chooseFolder(): void;
}

interface DropZoneProps {
  onFiles(files: NamedFile[]): void;
  children(chooser: FileChooser): ReactNode;
}

/** The whole window takes files while this is shown; the page says so while something hovers above it. */
export function DropZone({ onFiles, children }: DropZoneProps) {
  const [filesInput, setFilesInput] = useState<HTMLInputElement | null>(null);
  const [folderInput, setFolderInput] = useState<HTMLInputElement | null>(null);
  const isHovering = useWindowDrop(onFiles);
  const chooser: FileChooser = { chooseFiles: () => filesInput?.click(), chooseFolder: () => folderInput?.click() };

  useEffect(() => folderInput?.setAttribute("webkitdirectory", ""), [folderInput]);

  const take = (input: HTMLInputElement) => {
    const files = filesOfInput(input.files);
    input.value = "";
    if (files.length > 0) onFiles(files);
  };

  return (
    <div className={styles.zone} data-testid="drop-zone">
      <input ref={setFilesInput} type="file" multiple hidden data-testid="file-input" onChange={(event) => take(event.currentTarget)} />
      <input ref={setFolderInput} type="file" multiple hidden data-testid="folder-input" onChange={(event) => take(event.currentTarget)} />
      {children(chooser)}
      {isHovering && (
        <div className={styles.veil}>
          <div className={styles.target}>
            <Icon name="upload" size={34} />
            <strong>Drop to upload</strong>
            <span>DICOM files, folders, zip archives, or NIfTI (.nii, .nii.gz)</span>
          </div>
        </div>
      )}
    </div>
  );
}

/** True while files hover above the window; hands over what is dropped. */
function useWindowDrop(onFiles: (files: NamedFile[]) => void): boolean {
  const [depth, setDepth] = useState(0);
  const dropped = useEffectEvent(async (transfer: DataTransfer) => {
    const files = await filesOfDrop(transfer);
    if (files.length > 0) onFiles(files);
  });

  useEffect(() => {
    const stopping = new AbortController();
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", listener: (event: DragEvent) => void) =>
      window.addEventListener(name, (event) => holdsFiles(event) && listener(event), { signal: stopping.signal });
    on("dragenter", () => setDepth((now) => now + 1));
    on("dragleave", () => setDepth((now) => Math.max(0, now - 1)));
    on("dragover", (event) => event.preventDefault());
    on("drop", (event) => {
      event.preventDefault();
      setDepth(0);
      if (event.dataTransfer) void dropped(event.dataTransfer);
    });
    return () => stopping.abort();
  }, []);

  return depth > 0;
}

function holdsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
