import type { Spread } from "../server/cohort";
import { countText } from "./formats";
import { figureText } from "./month_chart";
import styles from "./spread_chart.module.css";

const WIDTH = 240;
const HEIGHT = 56;
const BASE = HEIGHT - 4;

/** How many studies lie in each bin, as columns; the median as a line across them, and what the ends stand for. */
export function SpreadChart({ spread }: { spread: Spread }) {
  const most = Math.max(...spread.bins.map(({ studies }) => studies));
  const end = spread.bins.at(-1)?.upper ?? 1;
  const placeOf = (value: number): number => (value / end) * WIDTH;
  return (
    <>
      <svg className={styles.chart} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${spread.title}. ${wordsOf(spread)}`}>
        {spread.bins.map(({ lower, upper, studies }) => {
          const height = (studies / most) * (BASE - 4);
          return (
            <rect key={lower} className={styles.column} x={placeOf(lower) + 1} y={BASE - height} width={Math.max(1, placeOf(upper) - placeOf(lower) - 2)} height={height}>
              <title>{`${figureText(lower)} to below ${figureText(upper)}: ${countText(studies, "study", "studies")}`}</title>
            </rect>
          );
        })}
        <line className={styles.base} x1={0} x2={WIDTH} y1={BASE} y2={BASE} />
        <line className={styles.median} x1={placeOf(spread.median)} x2={placeOf(spread.median)} y1={0} y2={BASE} />
      </svg>
      <div className={styles.ends} aria-hidden><span>0</span><span>{figureText(end)}</span></div>
    </>
  );
}

function wordsOf({ bins }: Spread): string {
  return bins.filter(({ studies }) => studies > 0).map(({ lower, upper, studies }) => `${figureText(lower)} to below ${figureText(upper)}: ${studies}`).join("; ");
}
