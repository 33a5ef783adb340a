import { useQuery } from "@tanstack/react-query";

import type { RunSample } from "../server/training";
import { samplesQuery } from "../state/training";
import { CLASS_CLAIMS } from "./class_mark";
import { UNKNOWN } from "./formats";
import { Loading } from "./loading";
import { Problem } from "./problem";
import styles from "./run_samples.module.css";

/** Rows and columns of the network's grid. */
const SIZE = 256;

const DRAWN = ["expert", "inactive", "active"] as const;
const MEANINGS: Readonly<Record<(typeof DRAWN)[number], string>> = { expert: "The approved version, any plaque", ...CLASS_CLAIMS };

/** The same few slices of the validation side at each validation, with what the network draws on them now. */
export function RunSamples({ run, step }: { run: string; step: number }) {
  const samples = useQuery(samplesQuery(run, step));
  if (step === 0) return <p className={styles.legend}>They come with the first validation.</p>;
  if (samples.isError) return <Problem error={samples.error} onRetry={() => void samples.refetch()} />;
  if (!samples.data) return <Loading of="samples" />;
  if (samples.data.length === 0) return <p className={styles.legend}>The run kept none.</p>;
  return (
    <>
      <ul className={styles.legend}>
        {DRAWN.map((name) => (
          <li key={name}>
            <svg width="22" height="12" viewBox="0 0 22 12" aria-hidden focusable="false"><path className={styles[name]} d="M2 6H20" /></svg>
            {MEANINGS[name]}
          </li>
        ))}
      </ul>
      <div className={styles.samples}>{samples.data.map((sample) => <Sample key={sample.number} sample={sample} />)}</div>
    </>
  );
}

function Sample({ sample }: { sample: RunSample }) {
  const { study, slice_number, slice_url, step, outlines, dice } = sample;
  const text = `Slice ${slice_number} of ${study}, step ${step}: Dice ${dice === null ? UNKNOWN : dice.toFixed(2)}`;
  return (
    <figure className={styles.sample} data-testid="run-sample" data-step={step}>
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={text}>
        <image href={slice_url} width={SIZE} height={SIZE} />
        {DRAWN.map((name) => <path key={name} className={styles[name]} d={pathOf(outlines[name])} />)}
      </svg>
      <figcaption>{text}</figcaption>
    </figure>
  );
}

function pathOf(lines: readonly (readonly (readonly number[])[])[]): string {
  return lines.map((line) => `M${line.map(([x = 0, y = 0]) => `${x} ${y}`).join("L")}Z`).join("");
}
