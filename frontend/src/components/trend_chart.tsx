import { dateText } from "./formats";
import { trendMaximum, trendPoints, type TrendPoint, type TrendValue } from "./trend";
import styles from "./trend_chart.module.css";
import { TrendMark, type TrendLine } from "./trend_mark";

const WIDTH = 560;
const HEIGHT = 190;
const DAY_WIDTH = 68;
const FRAME = { left: 44, right: WIDTH - 44, top: 16, bottom: HEIGHT - 28 };

interface TrendChartProps {
  readonly title: string;
  /** As many as every value has amounts. */
  readonly lines: readonly TrendLine[];
  readonly values: readonly TrendValue[];
  /** Empty for an amount that there cannot be. */
  textOf(amount: number): string;
}

/** Amounts over time; each line has a dash and a mark of its own, so that colour is never alone. */
export function TrendChart({ title, lines, values, textOf }: TrendChartProps) {
  const points = trendPoints(values, FRAME);
  const maximum = trendMaximum(values);
  const words = points.map(({ date, amounts }) => `${dateText(date)}: ${lines.map(({ name }, line) => `${name} ${textOf(amounts[line] ?? 0)}`).join(", ")}`);
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <strong>{title}</strong>
        {lines.map((line) => (
          <span key={line.name} className={styles.sign}>
            <svg width="26" height="12" viewBox="0 0 26 12" aria-hidden focusable="false">
              <line x1="0" x2="26" y1="6" y2="6" stroke={line.color} strokeWidth={2} strokeDasharray={line.dash} />
              <TrendMark line={line} x={13} y={6} />
            </svg>
            {line.name}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}. ${words.join("; ")}.`}>
        {[0, maximum / 2, maximum].map((amount) => <Level key={amount} isGround={amount === 0} share={amount / maximum} text={textOf(amount) && String(amount)} />)}
        {lines.map((line, index) => <Line key={line.name} line={line} places={points.map(({ study, x, heights }) => ({ study, x, y: heights[index] ?? FRAME.bottom }))} />)}
        {withRoom(points).map(({ study, x, date }) => (
          <text key={study} x={x} y={HEIGHT - 8} textAnchor="middle" className={styles.text}>{dateText(date)}</text>
        ))}
      </svg>
    </figure>
  );
}

/** The points whose day can be written below them without running into the one before. */
function withRoom(points: readonly TrendPoint[]): TrendPoint[] {
  return points.reduce<TrendPoint[]>((named, point) => (point.x - (named.at(-1)?.x ?? -WIDTH) < DAY_WIDTH ? named : [...named, point]), []);
}

function Level({ isGround, share, text }: { readonly isGround: boolean; readonly share: number; readonly text: string }) {
  const y = FRAME.bottom - share * (FRAME.bottom - FRAME.top);
  return (
    <g>
      <line x1={FRAME.left} x2={FRAME.right} y1={y} y2={y} className={isGround ? styles.ground : styles.level} />
      <text x={FRAME.left - 8} y={y + 4} textAnchor="end" className={styles.text}>{text}</text>
    </g>
  );
}

interface Place {
  readonly study: string;
  readonly x: number;
  readonly y: number;
}

function Line({ line, places }: { readonly line: TrendLine; readonly places: readonly Place[] }) {
  return (
    <g>
      <polyline points={places.map(({ x, y }) => `${x},${y}`).join(" ")} fill="none" stroke={line.color} strokeWidth={2} strokeDasharray={line.dash} />
      {places.map(({ study, x, y }) => <TrendMark key={study} line={line} x={x} y={y} />)}
    </g>
  );
}
