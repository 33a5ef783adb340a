import type { RunPoint } from "../server/training";
import { UNKNOWN } from "./formats";
import styles from "./learning_curve.module.css";

const WIDTH = 640;
const HEIGHT = 160;

interface Line {
  readonly step: number;
  readonly value: number;
}

/** Loss and validation of a run by step, each on a scale of its own: loss from 0 to its largest, Dice from 0 to 1. */
export function LearningCurve({ points, steps }: { points: readonly RunPoint[]; steps: number }) {
  const losses = points.map(({ step, loss }) => ({ step, value: loss }));
  const dice = points.flatMap(({ step, validation_dice: value }) => (value === null ? [] : [{ step, value }]));
  const highest = highestOf(losses, Number.EPSILON);
  const last = losses.at(-1);
  const best = highestOf(dice, 0);
  return (
    <figure className={styles.figure} data-testid="learning-curve" data-points={points.length}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={textOf(last, dice.at(-1), best)}>
        <polyline className={styles.loss} points={pathOf(losses, steps, highest)} />
        <polyline className={styles.dice} points={pathOf(dice, steps, 1)} />
        <path className={styles.dot} d={dice.map(({ step, value }) => `M${(step / steps) * WIDTH} ${HEIGHT - value * HEIGHT}h0`).join("")} />
      </svg>
      <p className={styles.scales}>
        <span>step 0</span>
        <span className={styles.loss_name}>{`loss, 0 to ${last ? highest.toFixed(2) : UNKNOWN}`}</span>
        <span className={styles.dice_name}>validation Dice, 0 to 1</span>
        <span>{`step ${steps}`}</span>
      </p>
      <figcaption>{textOf(last, dice.at(-1), best)}</figcaption>
    </figure>
  );
}

function highestOf(line: readonly Line[], least: number): number {
  return line.reduce((highest, { value }) => Math.max(highest, value), least);
}

function pathOf(line: readonly Line[], steps: number, highest: number): string {
  return line.map(({ step, value }) => `${(step / steps) * WIDTH},${HEIGHT - (value / highest) * HEIGHT}`).join(" ");
}

function textOf(loss: Line | undefined, dice: Line | undefined, best: number): string {
  if (!loss) return "No step was taken yet.";
  const learned = `Loss ${loss.value.toFixed(3)} at step ${loss.step}`;
  return dice ? `${learned}; validation Dice ${dice.value.toFixed(3)}, best ${best.toFixed(3)}` : learned;
}
