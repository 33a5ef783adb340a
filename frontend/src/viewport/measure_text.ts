import type { Measure } from "../state/reading";

/** What Cornerstone keeps of a measurement on one slice; each kind has some of it. */
interface Statistics {
  readonly length?: number | null;
  readonly angle?: number | null;
  readonly value?: number | null;
  /** Column, row, slice. */
  readonly index?: ArrayLike<number> | null;
  readonly area?: number | null;
  readonly mean?: number | null;
  readonly stdDev?: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
}

export interface Measured {
  readonly cachedStats: Readonly<Record<string, Statistics | undefined>>;
  readonly handles: { readonly points: readonly (readonly number[])[] };
}

export type Lines = (measured: Measured, target: string) => string[] | undefined;

/** Read on bright and on dark tissue, whatever the page looks like. */
export const MEASURE_STYLE = {
  color: "rgb(255 224 102)",
  colorHighlighted: "rgb(255 255 255)",
  colorSelected: "rgb(255 255 255)",
  lineWidth: "1.5",
  textBoxFontFamily: '"Inter Variable", sans-serif',
  textBoxFontSize: "12px",
  textBoxColor: "rgb(255 224 102)",
  textBoxColorHighlighted: "rgb(255 255 255)",
  textBoxColorSelected: "rgb(255 255 255)",
  textBoxBackground: "rgb(0 0 0 / 65%)",
  textBoxBorderRadius: "3",
  textBoxMargin: "4",
};

/** Digits that a value of MR needs: none where it is large, two where it is small. */
export function valueText(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** A patient position as a report writes it, LPS, mm. */
export function positionText([x = 0, y = 0, z = 0]: readonly number[]): string {
  const side = (value: number, positive: string, negative: string) => `${value >= 0 ? positive : negative} ${Math.abs(value).toFixed(1)}`;
  return `${side(x, "L", "R")}  ${side(y, "P", "A")}  ${side(z, "H", "F")} mm`;
}

const single = (pick: (found: Statistics) => number | null | undefined, text: (value: number) => string): Lines => ({ cachedStats }, target) => {
  const value = pick(cachedStats[target] ?? {});
  return typeof value === "number" && Number.isFinite(value) ? [text(value)] : undefined;
};

const region: Lines = ({ cachedStats }, target) => {
  const { area, mean, stdDev, min, max } = cachedStats[target] ?? {};
  if (typeof area !== "number" || typeof mean !== "number") return undefined;
  return [
    `${area.toFixed(1)} mm²`,
    `Mean ${valueText(mean)}  SD ${valueText(stdDev ?? 0)}`,
    `Min ${valueText(min ?? mean)}  Max ${valueText(max ?? mean)}`,
  ];
};

/** What stands beside a measurement. */
export const TEXT_LINES: Readonly<Record<Measure, Lines>> = {
  ruler: single(({ length }) => length, (length) => `${length.toFixed(1)} mm`),
  angle: single(({ angle }) => angle, (angle) => `${angle.toFixed(1)}°`),
  probe: ({ cachedStats, handles }, target) => {
    const value = cachedStats[target]?.value;
    return typeof value === "number" ? [`Value ${valueText(value)}`, positionText(handles.points[0] ?? [])] : undefined;
  },
  ellipse: region,
  rectangle: region,
};
