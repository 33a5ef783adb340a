import type { LabelVolume } from "./labels";

/** The voxels of one lesion: indices in C order, ascending. */
export type Component = Uint32Array;

/**
 * The 26-connected components of labels above 0, both classes together, in the order of their first voxel.
 * Works on runs along rows: what it costs grows with what is labelled, and background is skipped four voxels at a time.
 */
export function componentsOf({ shape, voxels }: LabelVolume): Component[] {
  const runs = runsOf(voxels, shape);
  const parent = Int32Array.from({ length: runs.count }, (_, run) => run);
  for (let row = 0; row + 1 < runs.firstOfRow.length; row += 1) {
    if (runs.firstOfRow[row] === runs.firstOfRow[row + 1]) continue;
    for (const earlier of earlierRows(row, shape[1])) joinRows(runs, parent, row, earlier);
  }
  return gather(runs, parent);
}

/** The component that holds a voxel; null when the voxel is background. */
export function componentAt(components: readonly Component[], voxel: number): Component | null {
  return components.find((component) => holds(component, voxel)) ?? null;
}

/** Whether a component has a voxel. */
export function holds(component: Component, voxel: number): boolean {
  let [low, high] = [0, component.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = component[middle] ?? 0;
    if (found === voxel) return true;
    if (found < voxel) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** Labelled runs in C order, none across the end of a row; `end` is the first voxel after the run. */
interface Runs {
  readonly count: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** The first run of each row of the volume, and one more entry: the number of runs. */
  readonly firstOfRow: Int32Array;
  readonly columns: number;
}

function runsOf(voxels: Uint8Array, [slices, rows, columns]: LabelVolume["shape"]): Runs {
  const starts: number[] = [];
  const ends: number[] = [];
  const isAligned = voxels.byteOffset % 4 === 0;
  const words = isAligned ? new Uint32Array(voxels.buffer, voxels.byteOffset, voxels.length >> 2) : null;
  for (let at = 0; at < voxels.length; ) {
    if (words && at % 4 === 0 && words[at >> 2] === 0) {
      at += 4;
    } else if (voxels[at] === 0) {
      at += 1;
    } else {
      const rowEnd = at - (at % columns) + columns;
      starts.push(at);
      while (at < rowEnd && voxels[at] !== 0) at += 1;
      ends.push(at);
    }
  }
  const firstOfRow = new Int32Array(slices * rows + 1);
  for (const start of starts) firstOfRow[Math.floor(start / columns) + 1] = (firstOfRow[Math.floor(start / columns) + 1] ?? 0) + 1;
  for (let row = 1; row < firstOfRow.length; row += 1) firstOfRow[row] = (firstOfRow[row] ?? 0) + (firstOfRow[row - 1] ?? 0);
  return { count: starts.length, start: Int32Array.from(starts), end: Int32Array.from(ends), firstOfRow, columns };
}

/** Rows before this one that touch it: the one above in its slice, and three in the slice before. */
function earlierRows(row: number, rows: number): number[] {
  const y = row % rows;
  const below = row - rows;
  const found = y > 0 ? [row - 1] : [];
  if (below >= 0) found.push(below);
  if (below >= 0 && y > 0) found.push(below - 1);
  if (below >= 0 && y < rows - 1) found.push(below + 1);
  return found;
}

function joinRows({ start, end, firstOfRow, columns }: Runs, parent: Int32Array, row: number, earlier: number): void {
  const shift = (row - earlier) * columns;
  let [run, other] = [firstOfRow[row] ?? 0, firstOfRow[earlier] ?? 0];
  const [lastRun, lastOther] = [firstOfRow[row + 1] ?? 0, firstOfRow[earlier + 1] ?? 0];
  while (run < lastRun && other < lastOther) {
    const [left, right] = [start[run] ?? 0, end[run] ?? 0];
    const [otherLeft, otherRight] = [(start[other] ?? 0) + shift, (end[other] ?? 0) + shift];
    if (otherRight >= left && otherLeft <= right) unite(parent, run, other);
    if (right < otherRight) run += 1;
    else other += 1;
  }
}

function rootOf(parent: Int32Array, run: number): number {
  let root = run;
  while (parent[root] !== root) {
    parent[root] = parent[parent[root] ?? 0] ?? 0;
    root = parent[root] ?? 0;
  }
  return root;
}

/** The earlier root stays, so that components come in the order of their first voxel. */
function unite(parent: Int32Array, first: number, second: number): void {
  const [one, other] = [rootOf(parent, first), rootOf(parent, second)];
  parent[Math.max(one, other)] = Math.min(one, other);
}

function gather({ count, start, end }: Runs, parent: Int32Array): Component[] {
  const sizes = new Map<number, number>();
  for (let run = 0; run < count; run += 1) {
    const root = rootOf(parent, run);
    sizes.set(root, (sizes.get(root) ?? 0) + (end[run] ?? 0) - (start[run] ?? 0));
  }
  const filled = new Map([...sizes].map(([root, size]) => [root, { voxels: new Uint32Array(size), at: 0 }]));
  for (let run = 0; run < count; run += 1) {
    const component = filled.get(rootOf(parent, run));
    if (!component) continue;
    for (let voxel = start[run] ?? 0; voxel < (end[run] ?? 0); voxel += 1) component.voxels[component.at++] = voxel;
  }
  return [...filled.values()].map(({ voxels }) => voxels);
}
