import { point3, toWorld } from "../geometry/affine";
import type { StudyChanges } from "../server/longitudinal";
import { placesOf, shownChange } from "../state/change_view";
import { usePanes } from "../state/panes";
import { readNow } from "../state/reading";
import { shownChanges, type ShownKind } from "../state/shown_changes";
import { openStack } from "../viewport/open_panes";
import { showBeside } from "../viewport/pane_links";
import type { Command } from "./command";

/** Shows one change in every pane: its lesions are bracketed, and the slices are those of its place in the patient. */
export function showChange(changes: StudyChanges, place: number): void {
  const change = shownChanges(changes)[place];
  if (!change) return;
  readNow().selectLesion(change.lesions[0] ?? null);
  usePanes.getState().chooseChange(place);
  readNow().goTo(change.anchor[0]);
  const stack = openStack("current");
  if (stack) showBeside(toWorld(stack.grid.affine, point3(change.anchor)));
}

/** The change after or before the one that is shown, round and round; of one kind where one is named. */
export function stepChange(changes: StudyChanges, kind: ShownKind | null, step: 1 | -1): void {
  const places = placesOf(changes, kind);
  const shown = shownChange(changes, usePanes.getState().chosenChange, readNow().selectedLesion);
  const at = shown ? places.indexOf(shownChanges(changes).indexOf(shown)) : -1;
  const start = at === -1 && step < 0 ? 0 : at;
  const place = places[(start + step + places.length) % Math.max(1, places.length)];
  if (place !== undefined) showChange(changes, place);
}

function step(by: 1 | -1): void {
  const { changes } = usePanes.getState();
  if (changes) stepChange(changes, null, by);
}

export const CHANGE_COMMANDS: readonly Command[] = [
  {
    id: "changes.view", group: "Overlay", title: "Changes since the prior on or off", keys: ["Shift+c"],
    run: () => usePanes.getState().showChanges(!usePanes.getState().isChangeView),
  },
  { id: "changes.next", group: "Overlay", title: "Next change", keys: ["Shift+n"], isRepeated: true, run: () => step(1) },
  { id: "changes.previous", group: "Overlay", title: "Previous change", keys: ["Shift+p"], isRepeated: true, run: () => step(-1) },
];
