import type { ShadowReading } from "../server/shadow";
import styles from "./shadow_chart.module.css";

const WIDTH = 640;
const HEIGHT = 170;
const FRAME = { left: 34, right: WIDTH - 12, top: 10, bottom: HEIGHT - 22 };
const LEVELS = [0, 0.5, 1];
const MARK = 3.5;

type Kind = "champion" | "final" | "championFinal";

/** Each has a shape of its own, so that colour is never alone. */
const NAMES: Record<Kind, string> = {
  champion: "with the champion",
  final: "with the readers",
  championFinal: "champion with the readers",
};
const KINDS: readonly Kind[] = ["champion", "final", "championFinal"];

/** Dice of any plaque, study by study in the order in which they came: with the champion, and of both with the readers. */
export function ShadowChart({ readings }: { readings: readonly ShadowReading[] }) {
  const read = readings.filter(({ state }) => state === "succeeded");
  return (
    <figure className={styles.figure} data-testid="shadow-chart" data-studies={read.length}>
      <figcaption className={styles.caption}>
        <strong>Dice, study by study</strong>
        {KINDS.map((kind) => (
          <span key={kind} className={styles.sign}>
            <svg width={12} height={12} aria-hidden><Mark kind={kind} x={6} y={6} /></svg>
            {NAMES[kind]}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Dice of ${read.length} studies, the newest last`}>
        {LEVELS.map((level) => <Level key={level} value={level} />)}
        {read.map((reading, index) => <Study key={reading.id} reading={reading} x={placeOf(index, read.length)} />)}
        <text x={FRAME.left} y={HEIGHT - 6} className={styles.text}>oldest</text>
        <text x={FRAME.right} y={HEIGHT - 6} textAnchor="end" className={styles.text}>newest</text>
      </svg>
    </figure>
  );
}

function placeOf(index: number, count: number): number {
  return FRAME.left + ((index + 0.5) / count) * (FRAME.right - FRAME.left);
}

function heightOf(value: number): number {
  return FRAME.bottom - value * (FRAME.bottom - FRAME.top);
}

function Level({ value }: { value: number }) {
  const y = heightOf(value);
  return (
    <g>
      <line x1={FRAME.left} x2={FRAME.right} y1={y} y2={y} className={styles.level} />
      <text x={FRAME.left - 6} y={y + 4} textAnchor="end" className={styles.text}>{value}</text>
    </g>
  );
}

function Study({ reading, x }: { reading: ShadowReading; x: number }) {
  const figures = { champion: reading.against_champion, final: reading.against_final, championFinal: reading.champion_against_final };
  return KINDS.map((kind) => {
    const dice = figures[kind]?.dice;
    return dice === undefined ? null : <Mark key={kind} kind={kind} x={x} y={heightOf(dice)} />;
  });
}

function Mark({ kind, x, y }: { kind: Kind; x: number; y: number }) {
  if (kind === "champion") return <circle cx={x} cy={y} r={MARK} className={styles.champion} />;
  if (kind === "final") return <path d={`M${x - 4},${y + 4} L${x},${y - 4} L${x + 4},${y + 4} Z`} className={styles.final} />;
  return <rect x={x - MARK} y={y - MARK} width={2 * MARK} height={2 * MARK} className={styles.championFinal} />;
}
