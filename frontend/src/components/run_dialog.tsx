import { Modal, NativeSelect } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { requestRun, type Preflight, type Recipe } from "../server/training";
import { queryClient } from "../state/queries";
import { preflightQuery, runsQuery } from "../state/training";
import { BusyButton } from "./busy_button";
import { CountField, isCount } from "./count_field";
import { bytesText, UNKNOWN } from "./formats";
import { Loading } from "./loading";
import { Notice, Problem } from "./problem";
import styles from "./run_dialog.module.css";

/** What the server takes when it is told nothing. */
const USUAL: Recipe = { start: "champion", steps: 400, batch_size: 8, learning_rate: 0.0003, validate_every: 50, max_minutes: 240, seed: 0 };

const LEAST = { steps: 1, batch_size: 2, validate_every: 1, max_minutes: 1 } as const;
type Count = keyof typeof LEAST;

/** A recipe whose numbers may be missing while they are typed. */
type Typed = Omit<Recipe, Count> & Readonly<Record<Count, number | null>>;

interface RunDialogProps {
  /** The snapshot to learn from; null shows nothing. */
  readonly snapshot: string | null;
  onClose(): void;
}

/** A look ahead at a run, before it costs hours; the run is asked for from here. */
export function RunDialog({ snapshot, onClose }: RunDialogProps) {
  return (
    <Modal opened={snapshot !== null} onClose={onClose} title="Train on this dataset" size={720} closeOnClickOutside={false} transitionProps={{ duration: 0 }}>
      {snapshot && <RunForm snapshot={snapshot} onDone={onClose} />}
    </Modal>
  );
}

function RunForm({ snapshot, onDone }: { snapshot: string; onDone: () => void }) {
  const [typed, setTyped] = useState<Typed>(USUAL);
  const isWhole = isRecipe(typed);
  const recipe = isWhole ? typed : USUAL;
  const preflight = useQuery({ ...preflightQuery(snapshot, recipe), enabled: isWhole });
  const asking = useMutation({
    mutationFn: () => requestRun(snapshot, recipe),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: runsQuery.queryKey }),
  });
  const count = (label: string, field: Count) => (
    <CountField label={label} min={LEAST[field]} value={typed[field]} onChange={(value) => setTyped({ ...typed, [field]: value })} />
  );
  return (
    <form
      className={styles.form} aria-label="Recipe of the run" data-testid="run-form"
      onSubmit={(event) => {
        event.preventDefault();
        asking.mutate(undefined, { onSuccess: onDone });
      }}
    >
      <div className={styles.fields}>
        <NativeSelect
          size="xs" label="Starts from" value={typed.start} data={[{ value: "champion", label: "champion" }, { value: "scratch", label: "scratch" }]}
          onChange={(event) => setTyped({ ...typed, start: event.currentTarget.value as Recipe["start"] })}
        />
        {count("Steps", "steps")}
        {count("Slices a step", "batch_size")}
        {count("Steps between validations", "validate_every")}
        {count("Minutes at most", "max_minutes")}
      </div>
      {isWhole && preflight.isError && <Problem error={preflight.error} onRetry={() => void preflight.refetch()} />}
      {preflight.isLoading && <Loading of="look ahead" />}
      {isWhole && preflight.data && <LookAhead preflight={preflight.data} />}
      {asking.isError && <Problem error={asking.error} />}
      <BusyButton type="submit" w="fit-content" isBusy={asking.isPending} disabled={!isWhole || !preflight.data?.can_run} data-testid="begin-run">Train</BusyButton>
    </form>
  );
}

function isRecipe(typed: Typed): typed is Recipe {
  return Object.entries(LEAST).every(([field, least]) => isCount(typed[field as Count], least));
}

/** What the run would learn from, what it needs of the machine, and what rules it out. */
function LookAhead({ preflight }: { preflight: Preflight }) {
  const { sides, problems, warnings, disk_needed_bytes, disk_free_bytes, memory_needed_bytes, memory_free_bytes } = preflight;
  const memory = memory_free_bytes === null ? "free memory is not known" : `${bytesText(memory_free_bytes)} free`;
  return (
    <div className={styles.form} role="status" data-testid="preflight" data-can-run={preflight.can_run}>
      {problems.length > 0 && <Notice tone="alert" icon="warning" title="This run cannot succeed"><Lines of={problems} /></Notice>}
      {warnings.length > 0 && <Notice tone="caution" icon="info" title="To know beforehand"><Lines of={warnings} /></Notice>}
      <table className={styles.table} aria-label="What it would learn from">
        <thead>
          <tr><th>Side</th><th>Patients</th><th>Studies</th><th>Slices</th><th>Lesions</th><th>By class</th><th>What the class rests on</th></tr>
        </thead>
        <tbody>
          {Object.entries(sides).map(([side, found]) => (
            <tr key={side}>
              <td>{side}</td>
              <td>{found.patients}</td>
              <td>{found.studies}</td>
              <td>{found.slices}</td>
              <td>{found.lesions}</td>
              <td>{wordsOf(found.classes)}</td>
              <td>{wordsOf(found.sources)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles.dim}>{`Disk: ${bytesText(disk_needed_bytes)} needed, ${bytesText(disk_free_bytes)} free. Memory: ${bytesText(memory_needed_bytes)} needed, ${memory}.`}</p>
      {preflight.workers.map((worker) => <p key={worker.name} className={styles.dim}>{deviceOf(worker, preflight)}</p>)}
      <p className={styles.dim}>{processesOf(preflight)}</p>
      <p className={styles.dim}>{timeOf(preflight)}</p>
    </div>
  );
}

function Lines({ of }: { of: readonly string[] }) {
  return <>{of.map((line) => <p key={line}>{line}</p>)}</>;
}

function wordsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`).join(", ") || UNKNOWN;
}

function processesOf({ processes }: Preflight): string {
  if (processes === null) return "Processes: one for each GPU of the worker.";
  return processes === 1 ? "Processes: one." : `Processes: ${processes}, which share each batch.`;
}

function deviceOf({ name, device, gpus }: Preflight["workers"][number], { gpu_memory_needed_bytes: needed }: Preflight): string {
  if (device !== "cuda") return `Device: ${name} learns on the processor.`;
  if (gpus.length === 0) return `Device: ${name} finds no GPU.`;
  const free = gpus.map((gpu) => `${gpu.name}, ${bytesText(gpu.free_bytes)} of ${bytesText(gpu.memory_bytes)} free`).join("; ");
  return `Device: ${name} learns on ${free}. ${needed === null ? "What a run needs of it was not measured here yet." : `${bytesText(needed)} needed of each.`}`;
}

function timeOf({ estimated_minutes, seconds_per_step }: Preflight): string {
  if (estimated_minutes === null || seconds_per_step === null) return "Time: no step was measured here yet.";
  return `Time: about ${Math.ceil(estimated_minutes)} min, from the ${seconds_per_step.toFixed(1)} s that a step took in the last run.`;
}
