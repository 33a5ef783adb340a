import { Link } from "react-router";

import type { RunResources, TrainingRun } from "../server/training";
import { isLive } from "../state/training";
import { bytesText, fullTimeText, percentText, UNKNOWN } from "./formats";
import styles from "./run_facts.module.css";

/** How far the run is, what it started from, and what it takes of its machine. */
export function RunFacts({ run }: { run: TrainingRun }) {
  const { recipe, resources, model, best_dice, best_step, seconds_per_step } = run;
  return (
    <dl className={styles.facts} data-testid="run-facts">
      <Fact name="Asked for">{`${fullTimeText(run.created)}, ${run.requested_by ?? "by schedule"}`}</Fact>
      <Fact name="Step">{`${run.step} of ${recipe.steps ?? UNKNOWN}${leftOf(run)}`}</Fact>
      <Fact name="A step takes">{seconds_per_step === null ? UNKNOWN : `${seconds_per_step.toFixed(2)} s for ${recipe.batch_size ?? UNKNOWN} slices`}</Fact>
      <Fact name="Best validation">{best_dice === null ? UNKNOWN : `Dice ${best_dice.toFixed(3)} at step ${best_step}, any plaque, mean over studies`}</Fact>
      <Fact name="Starts from">{recipe.start ?? UNKNOWN}</Fact>
      <Fact name="Device">{run.device ? `${run.device}${sharedBy(run)}` : UNKNOWN}</Fact>
      {resources && isLive(run) && <Taken resources={resources} />}
      {resources && !isLive(run) && <Fact name="Memory">{`at most ${bytesText(resources.memory_peak_bytes)}`}</Fact>}
      {model && <Fact name="Candidate"><Link to="/models">On the page Models, with the gate</Link></Fact>}
    </dl>
  );
}

/** The worker's process: a number as measured last, and the most since it began. */
function Taken({ resources }: { resources: RunResources }) {
  const { cores_used, cores, memory_bytes, memory_peak_bytes, memory_of_machine_bytes, gpu, gpu_memory_bytes, gpu_memory_of_device_bytes } = resources;
  const now = memory_bytes === null ? "" : `${bytesText(memory_bytes)}, `;
  return (
    <>
      <Fact name="Processor">{`${cores_used.toFixed(1)} of ${cores} cores (${percentText(cores_used / cores)})`}</Fact>
      <Fact name="Memory">{`${now}at most ${bytesText(memory_peak_bytes)}, of ${bytesText(memory_of_machine_bytes)}`}</Fact>
      {gpu && gpu_memory_bytes !== null && gpu_memory_of_device_bytes !== null && (
        <Fact name="GPU">{`${gpu}: ${bytesText(gpu_memory_bytes)} of ${bytesText(gpu_memory_of_device_bytes)}`}</Fact>
      )}
      <Fact name="Measured">{fullTimeText(resources.at)}</Fact>
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function sharedBy({ processes }: TrainingRun): string {
  return processes > 1 ? `, ${processes} processes that share each batch` : "";
}

function leftOf({ seconds_left }: TrainingRun): string {
  return seconds_left === null ? "" : `, about ${Math.ceil(seconds_left / 60)} min left`;
}
