import { componentAt, componentsOf, type Component } from "./components";
import { indexOf, type Shape } from "./edits/grid";
import type { Point3 } from "./affine";
import type { LabelVolume } from "./labels";

/** What somebody says about a lesion, as far as a merge has to know it. */
export interface Said {
  readonly id: string;
  readonly kind: string;
  readonly anchor: Point3;
  readonly lesion_class: string;
  readonly evidence: string | null;
  readonly reason: string;
}

/** One state of a draft: labels on a grid, and what is said about its lesions. */
export interface Side<Statement extends Said> {
  readonly labels: LabelVolume;
  readonly statements: readonly Statement[];
}

/** A place that both sides changed, each in its own way. Voxels ascend; labels are by voxel. */
export interface MergeConflict<Statement extends Said> {
  readonly anchor: Point3;
  readonly voxels: Uint32Array;
  readonly mine: Uint8Array;
  readonly theirs: Uint8Array;
  readonly myStatements: readonly Statement[];
  readonly theirStatements: readonly Statement[];
}

export interface Merged<Statement extends Said> {
  /** Everything that either side changed; in a conflict, what is mine. */
  readonly labels: LabelVolume;
  readonly statements: readonly Statement[];
  readonly conflicts: readonly MergeConflict<Statement>[];
}

/**
 * Three-way merge: what only one side changed since the base is taken, what both changed alike too. What they changed
 * differently, voxel by voxel, or said differently of one lesion, is a conflict: one for each place.
 * The three have the same shape.
 */
export function merge<Statement extends Said>(base: Side<Statement>, mine: Side<Statement>, theirs: Side<Statement>): Merged<Statement> {
  const { shape } = base.labels;
  const { voxels, contested } = mergeVoxels(base.labels.voxels, mine.labels.voxels, theirs.labels.voxels);
  const [added, others] = [addedBy(mine, base), addedBy(theirs, base)];
  const disputed = disputesOf(shape, { base, mine, theirs }, added, others);
  const places = placesOf(shape, contested, disputed);
  const conflicts = places.map((place) => conflictAt(shape, place, { mine, theirs }, disputed, { added, others }));
  for (const conflict of conflicts) for (const [at, voxel] of conflict.voxels.entries()) voxels[voxel] = conflict.mine[at] ?? 0;
  return { labels: { shape, voxels }, statements: mergeStatements(base, mine, theirs, conflicts), conflicts };
}

/** The merge with each conflict decided for one side, in their order. */
export function decided<Statement extends Said>(merged: Merged<Statement>, choices: readonly ("mine" | "theirs")[]): Side<Statement> {
  const voxels = merged.labels.voxels.slice();
  let { statements } = merged;
  for (const [at, { voxels: place, theirs, myStatements, theirStatements }] of merged.conflicts.entries()) {
    if (choices[at] !== "theirs") continue;
    for (const [order, voxel] of place.entries()) voxels[voxel] = theirs[order] ?? 0;
    const isDropped = new Set(myStatements.map(({ id }) => id));
    statements = [...statements.filter(({ id }) => !isDropped.has(id)), ...theirStatements];
  }
  return { labels: { shape: merged.labels.shape, voxels }, statements };
}

/** Whether two statements say the same, whoever wrote it down when. */
export function saysTheSame(one: Said, other: Said): boolean {
  return one.kind === other.kind && one.lesion_class === other.lesion_class && one.evidence === other.evidence && one.reason === other.reason;
}

function mergeVoxels(base: Uint8Array, mine: Uint8Array, theirs: Uint8Array): { voxels: Uint8Array; contested: number[] } {
  const voxels = mine.slice();
  const contested: number[] = [];
  for (let at = 0; at < voxels.length; at += 1) {
    const [common, other] = [base[at] ?? 0, theirs[at] ?? 0];
    if (other === common || other === voxels[at]) continue;
    if (voxels[at] === common) voxels[at] = other;
    else contested.push(at);
  }
  return { voxels, contested };
}

function addedBy<Statement extends Said>({ statements }: Side<Statement>, base: Side<Statement>): Statement[] {
  const known = new Map(base.statements.map((statement) => [statement.id, statement]));
  return statements.filter((statement) => {
    const before = known.get(statement.id);
    return !before || !saysTheSame(before, statement);
  });
}

interface Dispute<Statement> {
  readonly mine: Statement;
  readonly theirs: Statement;
  /** The lesion that both speak of; what is left of it on either side. */
  readonly lesion: Component;
}

interface Sides<Statement extends Said> {
  readonly base: Side<Statement>;
  readonly mine: Side<Statement>;
  readonly theirs: Side<Statement>;
}

/** Pairs of new statements that say different things about one lesion, as it was in the base or is on either side. */
function disputesOf<Statement extends Said>(shape: Shape, sides: Sides<Statement>, added: readonly Statement[], others: readonly Statement[]): Dispute<Statement>[] {
  if (added.length === 0 || others.length === 0) return [];
  const union = sides.base.labels.voxels.slice();
  for (const { labels } of [sides.mine, sides.theirs]) {
    for (let at = 0; at < union.length; at += 1) if (labels.voxels[at] !== 0) union[at] = 1;
  }
  const lesions = componentsOf({ shape, voxels: union });
  const lesionOf = ({ anchor }: Said) => componentAt(lesions, indexOf(shape, anchor) ?? -1);
  return added.flatMap((mine) => {
    const lesion = lesionOf(mine);
    if (!lesion) return [];
    return others.filter((theirs) => !saysTheSame(mine, theirs) && lesionOf(theirs) === lesion).map((theirs) => ({ mine, theirs, lesion }));
  });
}

/** Contested voxels by place: those that touch, or that lie in one disputed lesion, belong together. */
function placesOf<Statement>(shape: Shape, contested: readonly number[], disputes: readonly Dispute<Statement>[]): Component[] {
  if (contested.length === 0 && disputes.length === 0) return [];
  const voxels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const voxel of contested) voxels[voxel] = 1;
  for (const { lesion } of disputes) for (const voxel of lesion) voxels[voxel] = 1;
  return componentsOf({ shape, voxels });
}

function conflictAt<Statement extends Said>(
  shape: Shape, place: Component, { mine, theirs }: Omit<Sides<Statement>, "base">, disputes: readonly Dispute<Statement>[],
  { added, others }: { added: readonly Statement[]; others: readonly Statement[] },
): MergeConflict<Statement> {
  const middle = place[place.length >> 1] ?? 0;
  const [, rows, columns] = shape;
  const isHere = new Set(place);
  const speaksOfHere = (statement: Statement) =>
    isHere.has(indexOf(shape, statement.anchor) ?? -1) || disputes.some((dispute) => isHere.has(dispute.lesion[0] ?? -1) && (dispute.mine === statement || dispute.theirs === statement));
  return {
    anchor: [Math.floor(middle / (rows * columns)), Math.floor(middle / columns) % rows, middle % columns],
    voxels: place,
    mine: Uint8Array.from(place, (voxel) => mine.labels.voxels[voxel] ?? 0),
    theirs: Uint8Array.from(place, (voxel) => theirs.labels.voxels[voxel] ?? 0),
    myStatements: added.filter(speaksOfHere),
    theirStatements: others.filter(speaksOfHere),
  };
}

/** By id: what a side added or changed is taken, what it removed is gone; theirs in a conflict waits for the choice. */
function mergeStatements<Statement extends Said>(
  base: Side<Statement>, mine: Side<Statement>, theirs: Side<Statement>, conflicts: readonly MergeConflict<Statement>[],
): Statement[] {
  const known = new Map(base.statements.map((statement) => [statement.id, statement]));
  const myIds = new Set(mine.statements.map(({ id }) => id));
  const theirsById = new Map(theirs.statements.map((statement) => [statement.id, statement]));
  const isWaiting = new Set(conflicts.flatMap(({ theirStatements }) => theirStatements.map(({ id }) => id)));
  const kept = mine.statements.flatMap((statement) => {
    const [before, other] = [known.get(statement.id), theirsById.get(statement.id)];
    if (!before || !saysTheSame(before, statement)) return [statement];
    return other ? [other] : [];
  });
  const isMissing = (statement: Statement) => !myIds.has(statement.id) && !known.has(statement.id) && !isWaiting.has(statement.id);
  return [...kept, ...theirs.statements.filter(isMissing)];
}
