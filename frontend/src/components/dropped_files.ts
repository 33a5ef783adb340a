import type { NamedFile } from "../server/uploads";

/** Files that a system keeps in folders for itself; nobody means to upload them. */
const SYSTEM_FILES = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/** Every file of a drop, folders walked through, with the path it has inside what was dropped. */
export async function filesOfDrop(transfer: DataTransfer): Promise<NamedFile[]> {
  const files = await Promise.all([...transfer.items].map(filesOfItem));
  return files.flat().filter(isMeant);
}

/** What is dropped can be read until the event is over, so nothing here waits before it is taken. */
function filesOfItem(dropped: DataTransferItem): Promise<NamedFile[]> | NamedFile[] {
  const entry = dropped.webkitGetAsEntry();
  if (entry) return filesOfEntry(entry);
  const file = dropped.getAsFile();
  return file ? [{ file, path: file.name }] : [];
}

export function filesOfInput(list: FileList | null): NamedFile[] {
  return [...(list ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isMeant);
}

function isMeant({ file }: NamedFile): boolean {
  return !SYSTEM_FILES.has(file.name);
}

async function filesOfEntry(entry: FileSystemEntry): Promise<NamedFile[]> {
  if (entry.isFile) return [await fileOf(entry as FileSystemFileEntry)];
  const children = await childrenOf(entry as FileSystemDirectoryEntry);
  return (await Promise.all(children.map(filesOfEntry))).flat();
}

function fileOf(entry: FileSystemFileEntry): Promise<NamedFile> {
  return new Promise((resolve, reject) => {
    entry.file((file) => resolve({ file, path: entry.fullPath.replace(/^\//, "") }), reject);
  });
}

/** A reader gives at most 100 entries a call and an empty list at the end. */
async function childrenOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- the reader gives one part after the other
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return children;
    children.push(...part);
  }
}
