import { LESION_CLASSES, type LesionClass } from "../geometry/labels";
import { CLASS_NAMES, ClassMark } from "./class_mark";
import { trendMaximum, trendPoints, type TrendPoint, type TrendValue } from "./trend";
import styles from "./trend_chart.module.css";

const WIDTH = 560;
const HEIGHT = 190;
const DAY_WIDTH = 68;
const FRAME = { left: 44, right: WIDTH - 44, top: 16, bottom: HEIGHT - 28 };

interface TrendChartProps {
  readonly title: string;
  readonly values: readonly TrendValue[];
  textOf(value: number): string;
}

/** Both classes over time: solid with filled discs, dashed with open squares, so that colour is never alone. */
export function TrendChart({ title, values, textOf }: TrendChartProps) {
  const points = trendPoints(values, FRAME);
  const maximum = trendMaximum(values);
  const words = points.map(({ date, active, inactive }) => `${date}: active ${textOf(active)}, inactive ${textOf(inactive)}`);
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <strong>{title}</strong>
        {LESION_CLASSES.map((lesionClass) => (
          <span key={lesionClass} className={styles.sign}><ClassMark lesionClass={lesionClass} size={12} />{CLASS_NAMES[lesionClass]}</span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}. ${words.join("; ")}.`}>
        {[0, maximum / 2, maximum].map((value) => <Level key={value} value={value} share={value / maximum} text={textOf(value)} />)}
        {LESION_CLASSES.map((lesionClass) => <Line key={lesionClass} lesionClass={lesionClass} points={points} />)}
        {withRoom(points).map(({ study, x, date }) => (
          <text key={study} x={x} y={HEIGHT - 8} textAnchor="middle" className={styles.text}>{date}</text>
        ))}
      </svg>
    </figure>
  );
}

/** The points whose day can be written below them without running into the one before. */
function withRoom(points: readonly TrendPoint[]): TrendPoint[] {
  return points.reduce<TrendPoint[]>((named, point) => (point.x - (named.at(-1)?.x ?? -WIDTH) < DAY_WIDTH ? named : [...named, point]), []);
}

function Level({ value, share, text }: { readonly value: number; readonly share: number; readonly text: string }) {
  const y = FRAME.bottom - share * (FRAME.bottom - FRAME.top);
  return (
    <g>
      <line x1={FRAME.left} x2={FRAME.right} y1={y} y2={y} className={value === 0 ? styles.ground : styles.level} />
      <text x={FRAME.left - 8} y={y + 4} textAnchor="end" className={styles.text}>{text}</text>
    </g>
  );
}

function Line({ lesionClass, points }: { readonly lesionClass: LesionClass; readonly points: readonly TrendPoint[] }) {
  const color = `var(--pv-${lesionClass})`;
  const places = points.map((point) => ({ study: point.study, x: point.x, y: lesionClass === "active" ? point.activeY : point.inactiveY }));
  return (
    <g stroke={color} fill="none">
      <polyline points={places.map(({ x, y }) => `${x},${y}`).join(" ")} strokeWidth={2} strokeDasharray={lesionClass === "active" ? undefined : "5 4"} />
      {places.map(({ study, x, y }) =>
        lesionClass === "active" ? (
          <circle key={study} cx={x} cy={y} r={4} fill={color} />
        ) : (
          <rect key={study} x={x - 4} y={y - 4} width={8} height={8} fill="var(--pv-panel)" strokeWidth={2} />
        ),
      )}
    </g>
  );
}
