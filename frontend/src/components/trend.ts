/** One study in a chart over time: when, and the amount of each line in the order of the lines. */
export interface TrendValue {
  readonly study: string;
  readonly date: string;
  readonly amounts: readonly number[];
}

export interface TrendPoint extends TrendValue {
  readonly x: number;
  /** One for each of the amounts. */
  readonly heights: readonly number[];
}

export interface TrendFrame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where each study lies in the frame, by its day from left to right and by its amounts from zero upward. */
export function trendPoints(values: readonly TrendValue[], frame: TrendFrame): TrendPoint[] {
  const inOrder = values.toSorted((first, second) => first.date.localeCompare(second.date));
  const days = inOrder.map(({ date }) => Date.parse(date));
  const [first = 0, last = 0] = [days[0], days.at(-1)];
  const highest = trendMaximum(values);
  const height = (amount: number): number => frame.bottom - (amount / highest) * (frame.bottom - frame.top);
  return inOrder.map((value, index) => ({
    ...value,
    x: last > first ? frame.left + (((days[index] ?? first) - first) / (last - first)) * (frame.right - frame.left) : (frame.left + frame.right) / 2,
    heights: value.amounts.map(height),
  }));
}

/** The upper end of the axis: the next of 1, 2, 5, 10, 20 … that holds every amount. */
export function trendMaximum(values: readonly TrendValue[]): number {
  const highest = Math.max(...values.flatMap(({ amounts }) => amounts), 0);
  if (highest === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 5].find((factor) => factor * power >= highest);
  return (step ?? 10) * power;
}
