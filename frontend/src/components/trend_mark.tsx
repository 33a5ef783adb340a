import { LESION_CLASSES } from "../geometry/labels";
import { CLASS_NAMES } from "./class_mark";

export type TrendShape = "disc" | "square" | "triangle" | "diamond" | "ring";

/** How one line of a chart is drawn. */
export interface TrendLine {
  readonly name: string;
  readonly color: string;
  readonly dash: string | undefined;
  readonly shape: TrendShape;
}

/** Solid with discs, dashed with open squares: as the classes are drawn on the slices. */
export const CLASS_LINES: readonly TrendLine[] = LESION_CLASSES.map((lesionClass) => ({
  name: CLASS_NAMES[lesionClass],
  color: `var(--pv-${lesionClass})`,
  dash: lesionClass === "active" ? undefined : "5 4",
  shape: lesionClass === "active" ? "disc" : "square",
}));

const OUTLINES: Readonly<Record<Exclude<TrendShape, "disc" | "ring">, string>> = {
  square: "M-4 -4h8v8h-8z", triangle: "M0 -5 5 4h-10z", diamond: "M0 -5.5 5.5 0 0 5.5 -5.5 0z",
};

/** The place of one amount. */
export function TrendMark({ line: { color, shape }, x, y }: { readonly line: TrendLine; readonly x: number; readonly y: number }) {
  if (shape === "disc" || shape === "ring") {
    return <circle cx={x} cy={y} r={4} fill={shape === "disc" ? color : "var(--pv-panel)"} stroke={color} strokeWidth={shape === "disc" ? 0 : 2} />;
  }
  return <path d={OUTLINES[shape]} transform={`translate(${x} ${y})`} fill="var(--pv-panel)" stroke={color} strokeWidth={2} />;
}
