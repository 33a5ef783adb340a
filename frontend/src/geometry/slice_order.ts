import type { LesionClass } from "./labels";

/** Number of lesions that touch each slice, by class. */
export type CountsBySlice = Readonly<Record<LesionClass, readonly number[]>>;

/** Slice indices from the start outwards: start, one above, one below, two above … */
export function centreOut(sliceCount: number, start: number): number[] {
  return Array.from({ length: sliceCount }, (_, index) => index).toSorted(
    (first, second) => Math.abs(first - start) - Math.abs(second - start) || second - first,
  );
}

export function middleSlice(sliceCount: number): number {
  return Math.max(0, Math.floor((sliceCount - 1) / 2));
}

/** The slice that most lesions touch, the one nearest to the middle on a tie; the middle when there is none. */
export function sliceWithMostLesions(counts: CountsBySlice, sliceCount: number): number {
  const middle = middleSlice(sliceCount);
  const total = (index: number) => (counts.active[index] ?? 0) + (counts.inactive[index] ?? 0);
  return centreOut(sliceCount, middle).reduce((best, index) => (total(index) > total(best) ? index : best), middle);
}
