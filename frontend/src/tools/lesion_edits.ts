import type { Component } from "../geometry/components";
import { anchorOf, classOf } from "../geometry/edits/grid";
import { fillHoles } from "../geometry/edits/holes";
import { join, nearestPair } from "../geometry/edits/join";
import { otherClass, reclassify, removeLesion } from "../geometry/edits/lesion";
import { isNoChange, NO_CHANGE } from "../geometry/edits/voxel_edit";
import type { Evidence, Statement } from "../server/review";
import { advise } from "../state/advice";
import { newId } from "../state/draft_store";
import { editNow, type LesionQuestion } from "../state/editing";
import { componentsNow, lesionOfComponent } from "../state/lesion_identity";
import type { Command, CommandContext } from "./command";
import { chosenLesion, correctable, lesionAtPointer, saidOf, targetOf, type Correctable } from "./lesion_target";
import { showLesion } from "./lesions";

type Said = Pick<Statement, "kind" | "lesion_class"> & Partial<Pick<Statement, "evidence" | "reason">>;

function statement({ labels }: Correctable, lesion: Component, said: Said): Statement {
  return { id: newId(), anchor: anchorOf(labels.shape, lesion), evidence: null, reason: "", ...said };
}

/** Does something to the lesion that is meant, where something can be corrected. */
function withTarget(context: CommandContext, act: (target: Component, room: Correctable) => void): void {
  const room = correctable(context);
  const target = room && targetOf(context, room);
  if (room && target) act(target, room);
}

/** The lesion is of the other class; turned back, it is as if nobody had said anything. */
function turnClass(lesion: Component, room: Correctable): void {
  const { drafting, labels } = room;
  const lesionClass = otherClass(classOf(labels, lesion));
  const said = saidOf(room, lesion);
  const isTurnedBack = said.some(({ kind }) => kind === "reclassified");
  const isAdded = said.some(({ kind }) => kind === "added");
  const removed = said.filter(({ kind }) => kind !== "added" || !isTurnedBack);
  const kind = isAdded ? "added" : "reclassified";
  const added = isTurnedBack ? [] : [statement(room, lesion, { kind, lesion_class: lesionClass })];
  drafting.edit({ voxels: reclassify(labels, lesion, lesionClass), added, removed });
}

/** The lesion is confirmed as what it is drawn as, with what that rests on. */
export function confirmLesion(context: CommandContext, lesion: Component, evidence: Evidence): void {
  const room = correctable(context);
  if (!room) return;
  const confirmed = statement(room, lesion, { kind: "confirmed", lesion_class: classOf(room.labels, lesion), evidence });
  room.drafting.edit({ voxels: NO_CHANGE, added: [confirmed], removed: saidOf(room, lesion).filter(({ kind }) => kind === "confirmed") });
}

/** The lesion is none, and why; the next one in the table is shown. */
export function refuteLesion(context: CommandContext, lesion: Component, reason: string): void {
  const room = correctable(context);
  if (!room) return;
  const refuted = statement(room, lesion, { kind: "false_positive", lesion_class: classOf(room.labels, lesion), reason });
  leaveFor(context, room, lesion);
  room.drafting.edit({ voxels: removeLesion(room.labels, lesion), added: [refuted], removed: saidOf(room, lesion) });
}

function deleteLesion(context: CommandContext, lesion: Component, room: Correctable): void {
  leaveFor(context, room, lesion);
  room.drafting.edit({ voxels: removeLesion(room.labels, lesion), added: [], removed: saidOf(room, lesion) });
}

/** The lesion after one that goes away is chosen and shown, so that reading goes on. */
function leaveFor(context: CommandContext, { labels }: Correctable, lesion: Component): void {
  const { lesions, reading } = context;
  const gone = lesionOfComponent(labels.shape, lesion, lesions);
  if (!gone || gone.number !== reading.selectedLesion) return;
  const at = lesions.indexOf(gone);
  const next = lesions[at + 1] ?? lesions[0];
  if (next && next !== gone) showLesion(context, next);
  else reading.selectLesion(null);
}

function fill(lesion: Component, { drafting, labels }: Correctable): void {
  const voxels = fillHoles(labels, lesion);
  if (isNoChange(voxels)) advise("This lesion has no holes.");
  else drafting.edit({ voxels, added: [], removed: [] });
}

/** Lesions further apart than this are two. */
const FURTHEST_JOIN_MM = 30;

/** The lesion that is chosen is joined with the one below the pointer, or else with its nearest neighbour. */
function joinLesions(context: CommandContext): void {
  const room = correctable(context);
  if (!room) return;
  const { drafting, labels, spacing } = room;
  const pointed = lesionAtPointer(labels, spacing);
  const first = chosenLesion(context, labels) ?? pointed;
  const second = pointed && pointed !== first ? pointed : first && nearestOther(room, first);
  if (!first) advise("Choose a lesion with N, point at the one to join it with, then press the key again.");
  else if (!second) advise(`No other lesion lies within ${FURTHEST_JOIN_MM} mm.`);
  else drafting.edit({ voxels: join(labels, spacing, [first, second]), added: [], removed: [] });
}

function nearestOther({ labels, spacing }: Correctable, lesion: Component): Component | null {
  const others = componentsNow(labels).filter((component) => component !== lesion);
  const near = others
    .map((component) => ({ component, distanceMm: nearestPair(labels.shape, spacing, lesion, component).distanceMm }))
    .filter(({ distanceMm }) => distanceMm <= FURTHEST_JOIN_MM);
  return near.toSorted((one, other) => one.distanceMm - other.distanceMm)[0]?.component ?? null;
}

function ask(kind: LesionQuestion["kind"]): Command["run"] {
  return (context) => withTarget(context, (lesion) => editNow().ask({ kind, lesion }));
}

/** Corrections of whole lesions: the one that is chosen, else the one below the pointer. */
export const LESION_EDIT_COMMANDS: readonly Command[] = [
  {
    id: "lesion.turn", group: "Correcting", title: "Active to inactive and back", keys: ["t"],
    run: (context) => withTarget(context, turnClass),
  },
  { id: "lesion.confirm", group: "Correcting", title: "Confirm, and what it rests on", keys: ["c"], run: ask("evidence") },
  { id: "lesion.refute", group: "Correcting", title: "No lesion: false positive, and why", keys: ["x"], run: ask("false_positive") },
  {
    id: "lesion.delete", group: "Correcting", title: "Delete the lesion", keys: ["Delete"],
    run: (context) => withTarget(context, (lesion, room) => deleteLesion(context, lesion, room)),
  },
  { id: "lesion.fill", group: "Correcting", title: "Fill holes", keys: ["Shift+h"], run: (context) => withTarget(context, fill) },
  { id: "lesion.join", group: "Correcting", title: "Join with the lesion pointed at, or the nearest", keys: ["Shift+j"], run: joinLesions },
];
