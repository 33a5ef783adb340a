import { Button, SegmentedControl } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import type { Affine } from "../geometry/affine";
import { positionOf, type Shape } from "../geometry/edits/grid";
import type { MergeConflict } from "../geometry/merge";
import { flipsOf } from "../geometry/reslice";
import type { Statement } from "../server/review";
import type { Conflict } from "../state/draft_view";
import { readNow } from "../state/reading";
import styles from "./conflict_dialog.module.css";
import { countText, timeText } from "./formats";

type Choice = "mine" | "theirs";

/** Of the slices that the places lie on. */
interface ConflictGrid {
  readonly shape: Shape;
  readonly affine: Affine;
}

interface ConflictDialogProps {
  readonly conflict: Conflict;
  readonly grid: ConflictGrid;
  onResolve(choices: readonly Choice[]): void;
}

/** Both sides of every place that two readers changed differently; the slices stay in sight while one is chosen. */
export function ConflictDialog({ conflict, grid, onResolve }: ConflictDialogProps) {
  const { places, author, modified } = conflict;
  const [choices, setChoices] = useState<ReadonlyMap<string, Choice>>(new Map());
  const box = useRef<HTMLElement>(null);
  const firstSlice = places[0]?.anchor[0];
  useEffect(() => {
    box.current?.focus();
    if (firstSlice !== undefined) readNow().goTo(firstSlice);
  }, [firstSlice]);
  const choose = (chosen: readonly MergeConflict<Statement>[], choice: Choice) =>
    setChoices((before) => new Map([...before, ...chosen.map((place) => [keyOf(place), choice] as const)]));
  const isDecided = places.every((place) => choices.has(keyOf(place)));
  const other = author ?? "The other reader";
  return (
    <section ref={box} className={styles.conflict} tabIndex={-1} aria-label="Two versions of a place" data-testid="conflict">
      <h2>{`${other} and you changed ${places.length === 1 ? "one place" : `${places.length} places`} differently`}</h2>
      <p>{`${modified ? `Saved there at ${timeText(modified)}. ` : ""}Everything else of both is merged. Nothing is lost before you choose.`}</p>
      <ol>
        {places.map((place) => (
          <Place key={keyOf(place)} place={place} grid={grid} other={other} choice={choices.get(keyOf(place))} onChoose={(choice) => choose([place], choice)} />
        ))}
      </ol>
      <div className={styles.answers}>
        <Button variant="default" onClick={() => choose(places, "mine")}>All mine</Button>
        <Button variant="default" onClick={() => choose(places, "theirs")}>All theirs</Button>
        <Button disabled={!isDecided} onClick={() => onResolve(places.map((place) => choices.get(keyOf(place)) ?? "mine"))}>Save this choice</Button>
      </div>
    </section>
  );
}

function keyOf({ anchor }: MergeConflict<Statement>): string {
  return anchor.join(" ");
}

interface PlaceProps {
  readonly place: MergeConflict<Statement>;
  readonly grid: ConflictGrid;
  readonly other: string;
  readonly choice: Choice | undefined;
  onChoose(choice: Choice): void;
}

function Place({ place, grid, other, choice, onChoose }: PlaceProps) {
  const [slice] = place.anchor;
  const name = `Slice ${slice + 1}`;
  return (
    <li className={styles.place} data-testid="conflict-place">
      <Button variant="subtle" size="compact-xs" onClick={() => readNow().goTo(slice)} aria-label={`Show slice ${slice + 1}`}>{name}</Button>
      <Side name="You" place={place} labels={place.mine} said={place.myStatements} grid={grid} isChosen={choice === "mine"} />
      <Side name={other} place={place} labels={place.theirs} said={place.theirStatements} grid={grid} isChosen={choice === "theirs"} />
      <SegmentedControl
        size="xs" value={choice ?? ""} onChange={(chosen) => onChoose(chosen === "theirs" ? "theirs" : "mine")} aria-label={`Which to keep at ${name}`}
        data={[{ value: "mine", label: "Keep mine" }, { value: "theirs", label: "Keep theirs" }]}
      />
    </li>
  );
}

interface SideProps {
  readonly name: string;
  readonly place: MergeConflict<Statement>;
  readonly labels: Uint8Array;
  readonly said: readonly Statement[];
  readonly grid: ConflictGrid;
  readonly isChosen: boolean;
}

function Side({ name, place, labels, said, grid, isChosen }: SideProps) {
  return (
    <figure className={styles.side} data-chosen={isChosen || undefined}>
      <Drawing place={place} labels={labels} grid={grid} />
      <figcaption>
        <strong>{name}</strong>
        {describe(labels, said)}
      </figcaption>
    </figure>
  );
}

const KIND_TEXTS: Readonly<Record<Statement["kind"], string>> = {
  confirmed: "confirmed", reclassified: "class turned", false_positive: "no lesion", added: "added",
};

function describe(labels: Uint8Array, said: readonly Statement[]): string {
  const count = (label: number) => labels.reduce((sum, found) => sum + Number(found === label), 0);
  const [inactive, active] = [count(1), count(2)];
  const drawn = [active > 0 && `active, ${countText(active, "voxel")}`, inactive > 0 && `inactive, ${countText(inactive, "voxel")}`].filter(Boolean);
  const words = said.map(({ kind }) => KIND_TEXTS[kind]);
  return [drawn.join(" and ") || "nothing drawn", ...words].join("; ");
}

/** Voxels of the place on its slice, as one side has them, the way up that the slices are shown. */
function Drawing({ place, labels, grid: { shape, affine } }: { place: MergeConflict<Statement>; labels: Uint8Array; grid: ConflictGrid }) {
  const { flipHorizontal, flipVertical } = flipsOf(affine);
  const pixels = [...place.voxels].flatMap((voxel, at) => {
    const [slice, row, column] = positionOf(shape, voxel);
    return slice === place.anchor[0] ? [{ row: flipVertical ? -row : row, column: flipHorizontal ? -column : column, label: labels[at] ?? 0 }] : [];
  });
  const [top, left] = [Math.min(...pixels.map(({ row }) => row)), Math.min(...pixels.map(({ column }) => column))];
  const size = 2 + Math.max(...pixels.map(({ row, column }) => Math.max(row - top, column - left)));
  return (
    <svg className={styles.drawing} viewBox={`-0.5 -0.5 ${size} ${size}`} aria-hidden focusable="false">
      {pixels.map(({ row, column, label }) => (
        <rect key={`${row} ${column}`} x={column - left} y={row - top} width={1} height={1} data-label={label} />
      ))}
    </svg>
  );
}
