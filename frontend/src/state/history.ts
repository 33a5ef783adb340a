import { inverseOf, type VoxelEdit } from "../geometry/edits/voxel_edit";
import type { Statement } from "../server/review";

/** One step of a reader: voxels that change, and what is said or taken back with them. */
export interface Edit {
  readonly voxels: VoxelEdit;
  readonly added: readonly Statement[];
  readonly removed: readonly Statement[];
}

export function undone({ voxels, added, removed }: Edit): Edit {
  return { voxels: inverseOf(voxels), added: removed, removed: added };
}

interface Packed {
  readonly runs: Uint8Array;
  readonly added: readonly Statement[];
  readonly removed: readonly Statement[];
}

/**
 * Every edit of a reader since the study was opened, to be undone and done again exactly. Edits are kept as runs of voxels
 * that change alike, a few bytes for each row that a brush touched.
 */
export class History {
  readonly #edits: Packed[] = [];
  /** How many of them are done; those after are undone. */
  #done = 0;

  push(edit: Edit): void {
    this.#edits.length = this.#done;
    this.#edits.push({ runs: packed(edit.voxels), added: edit.added, removed: edit.removed });
    this.#done += 1;
  }

  get canUndo(): boolean {
    return this.#done > 0;
  }

  get canRedo(): boolean {
    return this.#done < this.#edits.length;
  }

  /** The edit that takes back the last one; null when there is none. */
  undo(): Edit | null {
    const last = this.#edits[this.#done - 1];
    if (!last) return null;
    this.#done -= 1;
    return undone(unpackedEdit(last));
  }

  /** The edit that was undone last; null when there is none. */
  redo(): Edit | null {
    const next = this.#edits[this.#done];
    if (!next) return null;
    this.#done += 1;
    return unpackedEdit(next);
  }

  clear(): void {
    this.#edits.length = this.#done = 0;
  }

  get byteCount(): number {
    return this.#edits.reduce((sum, { runs }) => sum + runs.length, 0);
  }
}

function unpackedEdit({ runs, added, removed }: Packed): Edit {
  return { voxels: unpacked(runs), added, removed };
}

/** Runs of consecutive voxels with one label before and one after: LEB128 gap to the last run, LEB128 length, both labels. */
export function packed({ indices, before, after }: VoxelEdit): Uint8Array {
  const bytes: number[] = [];
  let end = 0;
  for (let at = 0; at < indices.length; ) {
    let next = at + 1;
    const first = indices[at] ?? 0;
    while (next < indices.length && indices[next] === first + next - at && before[next] === before[at] && after[next] === after[at]) next += 1;
    writeNumber(bytes, first - end);
    writeNumber(bytes, next - at);
    bytes.push((before[at] ?? 0) * 16 + (after[at] ?? 0));
    end = first + next - at;
    at = next;
  }
  return Uint8Array.from(bytes);
}

export function unpacked(bytes: Uint8Array): VoxelEdit {
  const [indices, before, after]: [number[], number[], number[]] = [[], [], []];
  let [position, voxel] = [0, 0];
  const readNumber = (): number => {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (position < bytes.length) {
    voxel += readNumber();
    const end = voxel + readNumber();
    const labels = bytes[position++] ?? 0;
    for (; voxel < end; voxel += 1) {
      indices.push(voxel);
      before.push(labels >> 4);
      after.push(labels & 15);
    }
  }
  return { indices: Uint32Array.from(indices), before: Uint8Array.from(before), after: Uint8Array.from(after) };
}

function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}
