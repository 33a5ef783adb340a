import { length, type Point3 } from "./affine";

/** Letters of the positive and negative end of each LPS axis. Source: DICOM PS3.3 C.7.6.1.1.1. */
const AXIS_LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
] as const;

/** A second letter is written once the direction leans more than about 25 degrees towards it. */
const SECOND_LETTER_COSINE = 0.42;

/** The patient side that a direction (LPS, any length) points to: "L", or "PR" when it is oblique; "" for no direction. */
export function sideOf(direction: Point3): string {
  const size = length(direction);
  if (size === 0) return "";
  return direction
    .map((component, axis) => ({ cosine: Math.abs(component) / size, letter: letterOf(component, axis) }))
    .toSorted((first, second) => second.cosine - first.cosine)
    .filter(({ cosine }, rank) => rank === 0 || cosine > SECOND_LETTER_COSINE)
    .map(({ letter: side }) => side)
    .join("");
}

/** The side on which a place or a direction lies along an axis of LPS, 0 to 2. */
export function letterOf(component: number, axis: number): string {
  const [positive, negative] = AXIS_LETTERS[axis] ?? ["", ""];
  return component >= 0 ? positive : negative;
}
