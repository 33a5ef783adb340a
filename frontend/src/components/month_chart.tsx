import type { Month } from "../server/monitoring";
import styles from "./month_chart.module.css";

const WIDTH = 220;
const HEIGHT = 44;
const FRAME = { left: 6, right: WIDTH - 6, top: 5, bottom: HEIGHT - 5 };

/** Medians by month joined by a line, each with its quartiles as a bar; the scale is the measure's own. */
export function MonthChart({ label, months }: { label: string; months: readonly Month[] }) {
  const lowest = Math.min(...months.map(({ lower }) => lower));
  const highest = Math.max(...months.map(({ upper }) => upper));
  const heightOf = (value: number): number =>
    highest > lowest ? FRAME.bottom - ((value - lowest) / (highest - lowest)) * (FRAME.bottom - FRAME.top) : HEIGHT / 2;
  const placed = months.map((month, index) => ({ ...month, x: FRAME.left + ((index + 0.5) / months.length) * (FRAME.right - FRAME.left) }));
  return (
    <svg className={styles.chart} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${label}. ${wordsOf(months)}`}>
      <polyline className={styles.line} points={placed.map(({ x, median }) => `${x},${heightOf(median)}`).join(" ")} />
      {placed.map(({ month, x, lower, median, upper }) => (
        <g key={month}>
          <line x1={x} x2={x} y1={heightOf(lower)} y2={heightOf(upper)} className={styles.range} />
          <circle cx={x} cy={heightOf(median)} r={3} className={styles.median} />
        </g>
      ))}
    </svg>
  );
}

function wordsOf(months: readonly Month[]): string {
  return months.map(({ month, studies, median }) => `${month}: median ${figureText(median)} of ${studies}`).join("; ");
}

/** Three significant digits, and none after the point from 100 on. */
export function figureText(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
