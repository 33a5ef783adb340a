import { sliceOf, type LabelVolume } from "./labels";
import { encodeHeader, encodeRun } from "./mask_codec";

/** Value and length of each run of one slice, one after the other. */
type Runs = readonly number[];

/**
 * A mask that is encoded again and again while it is edited: only slices that were touched since are looked at. The bytes
 * are those of `encodeMask`.
 */
export class MaskRuns {
  readonly #runs: (Runs | undefined)[] = [];

  /** These slices changed. */
  touch(slices: Iterable<number>): void {
    for (const slice of slices) this.#runs[slice] = undefined;
  }

  encode(labels: LabelVolume): Uint8Array {
    const bytes = encodeHeader(labels.shape);
    let [value, length] = [0, 0];
    for (let slice = 0; slice < labels.shape[0]; slice += 1) {
      const runs = (this.#runs[slice] ??= runsOf(sliceOf(labels, slice)));
      for (let at = 0; at < runs.length; at += 2) {
        if (runs[at] !== value) {
          if (length > 0) bytes.push(...encodeRun(value, length));
          [value, length] = [runs[at] ?? 0, 0];
        }
        length += runs[at + 1] ?? 0;
      }
    }
    if (length > 0) bytes.push(...encodeRun(value, length));
    return Uint8Array.from(bytes);
  }
}

function runsOf(voxels: Uint8Array): Runs {
  const runs: number[] = [];
  for (let start = 0; start < voxels.length; ) {
    let end = start + 1;
    while (end < voxels.length && voxels[end] === voxels[start]) end += 1;
    runs.push(voxels[start] ?? 0, end - start);
    start = end;
  }
  return runs;
}
