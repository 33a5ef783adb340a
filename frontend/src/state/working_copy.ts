import { applied, combined, inverseOf, isNoChange, NO_CHANGE, slicesOf, type VoxelEdit } from "../geometry/edits/voxel_edit";
import type { LabelVolume } from "../geometry/labels";
import { MaskRuns } from "../geometry/mask_runs";
import type { Side } from "../geometry/merge";
import type { Statement } from "../server/review";
import { History, type Edit } from "./history";

/** What is on the screen: labels and statements, the stroke that is being drawn, and the way back. */
export class WorkingCopy {
  readonly #history = new History();
  readonly #runs = new MaskRuns();
  #labels: LabelVolume;
  #drawnLabels: LabelVolume;
  #statements: readonly Statement[];
  #stroke: VoxelEdit[] | null = null;
  #editCount = 0;

  /** @param labels are copied; edits never reach them. */
  constructor({ labels: { shape, voxels }, statements }: Side<Statement>) {
    this.#labels = this.#drawnLabels = { shape, voxels: voxels.slice() };
    this.#statements = statements;
  }

  /** Under a name that changes with whole steps only; the voxels are those on the screen. */
  get labels(): LabelVolume {
    return this.#labels;
  }

  /** The same voxels under a name that changes with every piece of a stroke. */
  get drawnLabels(): LabelVolume {
    return this.#drawnLabels;
  }

  get statements(): readonly Statement[] {
    return this.#statements;
  }

  get side(): Side<Statement> {
    return { labels: this.#labels, statements: this.#statements };
  }

  /** How often the reader changed something. */
  get editCount(): number {
    return this.#editCount;
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  get isDrawing(): boolean {
    return this.#stroke !== null;
  }

  /** The labels in the bytes of the mask codec. */
  encode(): Uint8Array {
    return this.#runs.encode(this.#labels);
  }

  /** Does one step; false when it changes nothing. */
  edit(edit: Edit): boolean {
    if (isNoChange(edit.voxels) && edit.added.length === 0 && edit.removed.length === 0) return false;
    this.#history.push(edit);
    this.#apply(edit);
    return true;
  }

  /** False when there is nothing to undo. */
  undo(): boolean {
    return this.#step(this.#history.undo());
  }

  redo(): boolean {
    return this.#step(this.#history.redo());
  }

  /** A piece of a stroke that is still being drawn is on the screen, and no step yet. */
  extendStroke(piece: VoxelEdit): void {
    this.#stroke ??= [];
    if (isNoChange(piece)) return;
    this.#stroke.push(piece);
    this.#write(piece);
  }

  /** The stroke is one step, with what is said by it; false when nothing was drawn. */
  endStroke(statementsOf: (stroke: VoxelEdit) => readonly Statement[]): boolean {
    const voxels = this.#takeStroke();
    this.#labels = this.#drawnLabels;
    if (isNoChange(voxels)) return false;
    const added = statementsOf(voxels);
    this.#history.push({ voxels, added, removed: [] });
    this.#statements = [...this.#statements, ...added];
    this.#editCount += 1;
    return true;
  }

  /** As if the stroke had never begun. */
  cancelStroke(): void {
    this.#write(inverseOf(this.#takeStroke()));
    this.#labels = this.#drawnLabels;
  }

  /** Something else is on the screen; what the reader did can still be undone where nobody else changed it. */
  replace({ labels, statements }: Side<Statement>): void {
    this.#labels = this.#drawnLabels = labels;
    this.#statements = statements;
    this.#runs.touch(Array.from({ length: labels.shape[0] }, (_, slice) => slice));
  }

  /** The same statements in other words: as the server signed them. */
  sign(signed: (statement: Statement) => Statement): void {
    this.#statements = this.#statements.map(signed);
  }

  /** Counts a change that is no step of the reader's own: a merge, or what a closed tab left. */
  countChange(): void {
    this.#editCount += 1;
  }

  forgetSteps(): void {
    this.#history.clear();
  }

  #takeStroke(): VoxelEdit {
    const pieces = this.#stroke ?? [];
    this.#stroke = null;
    return pieces.length === 0 ? NO_CHANGE : combined(pieces);
  }

  #step(edit: Edit | null): boolean {
    if (edit) this.#apply(edit);
    return edit !== null;
  }

  #apply({ voxels, added, removed }: Edit): void {
    this.#write(voxels);
    this.#labels = this.#drawnLabels;
    const isReplaced = new Set([...removed, ...added].map(({ id }) => id));
    this.#statements = [...this.#statements.filter(({ id }) => !isReplaced.has(id)), ...added];
    this.#editCount += 1;
  }

  #write(voxels: VoxelEdit): void {
    this.#drawnLabels = applied(this.#labels, voxels);
    this.#runs.touch(slicesOf(voxels, this.#labels.shape));
  }
}
