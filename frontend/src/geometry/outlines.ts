/**
 * Outlines of a label in one slice: closed loops along voxel edges, holes included, to be filled by the even-odd rule.
 * A loop is [x0, y0, x1, y1, …] in columns and rows; the centre of voxel (row, column) lies at (column, row), so that
 * corners lie at half numbers. Only corners where the direction turns are kept.
 */
export type Loop = readonly number[];

/** Directions along an edge: right, down, left, up; the inside lies to the right hand. */
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;

interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly isInside: (column: number, row: number) => boolean;
}

export function outlineLoops(slice: Uint8Array, columns: number, label: number): Loop[] {
  const rows = columns === 0 ? 0 : slice.length / columns;
  const isInside = (column: number, row: number) =>
    column >= 0 && row >= 0 && column < columns && row < rows && slice[row * columns + column] === label;
  const grid = { rows, columns, isInside };
  const isTraced = new Uint8Array(slice.length);
  const loops: Loop[] = [];
  for (let voxel = 0; voxel < slice.length; voxel += 1) {
    if (slice[voxel] !== label || isTraced[voxel]) continue;
    const column = voxel % columns;
    const row = Math.floor(voxel / columns);
    if (!isInside(column, row - 1)) loops.push(trace(grid, column, row, isTraced));
  }
  return loops;
}

/** Follows the edge from the top of one voxel until it closes, and marks every voxel whose top edge it passed. */
function trace(grid: Grid, startColumn: number, startRow: number, isTraced: Uint8Array): Loop {
  const loop: number[] = [];
  let [x, y, direction] = [startColumn, startRow, 0];
  do {
    if (direction === 0) isTraced[y * grid.columns + x] = 1;
    x += STEP_X[direction] ?? 0;
    y += STEP_Y[direction] ?? 0;
    const turned = nextDirection(grid, x, y, direction);
    if (turned !== direction) loop.push(x - 0.5, y - 0.5);
    direction = turned;
  } while (x !== startColumn || y !== startRow || direction !== 0);
  return loop;
}

/** At a corner: turn right where the voxel ahead on the left and the one on the right are outside, and so on. */
function nextDirection({ isInside }: Grid, x: number, y: number, direction: number): number {
  const [forwardX, forwardY] = [STEP_X[direction] ?? 0, STEP_Y[direction] ?? 0];
  const [rightX, rightY] = [-forwardY, forwardX];
  const voxelAt = (sideX: number, sideY: number): boolean =>
    isInside(x + (forwardX + sideX - 1) / 2, y + (forwardY + sideY - 1) / 2);
  const isRightInside = voxelAt(rightX, rightY);
  const isLeftInside = voxelAt(-rightX, -rightY);
  if (!isRightInside) return (direction + 1) % 4;
  return isLeftInside ? (direction + 3) % 4 : direction;
}
