export const SIZES = ["small", "medium", "large"] as const;
export type LesionSize = (typeof SIZES)[number];
export type BySize = Readonly<Record<LesionSize, number>>;

/** From which longest axis within one slice, in mm. Source: the server's SMALLEST_MM, `plaqueview.imaging.lesion_sizes`. */
const SMALLEST_MM: Readonly<Record<LesionSize, number>> = { small: 0, medium: 5, large: 10 };

export const SIZE_TEXTS: Readonly<Record<LesionSize, string>> = {
  small: `small (under ${SMALLEST_MM.medium} mm)`,
  medium: `medium (under ${SMALLEST_MM.large} mm)`,
  large: `large (from ${SMALLEST_MM.large} mm)`,
};

/** On the limit it is the larger one, and rounding decides nothing. */
export function sizeOf(inPlaneAxisMm: number): LesionSize {
  return SIZES.findLast((size) => inPlaneAxisMm + 5e-7 >= SMALLEST_MM[size]) ?? "small";
}

/** How many are of each size; null when one of them was never measured within its slices. */
export function countsBySize(axesMm: readonly (number | null)[]): BySize | null {
  if (axesMm.includes(null)) return null;
  const sizes = axesMm.map((axisMm) => sizeOf(axisMm ?? 0));
  const count = (size: LesionSize): number => sizes.filter((one) => one === size).length;
  return { small: count("small"), medium: count("medium"), large: count("large") };
}
