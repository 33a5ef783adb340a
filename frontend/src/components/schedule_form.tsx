import { TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { createSchedule } from "../server/schedules";
import { queryClient } from "../state/queries";
import { BusyButton } from "./busy_button";
import { CountField, isCount } from "./count_field";
import { useKeptPlace } from "./kept_place";
import { Problem } from "./problem";
import styles from "./rerun_form.module.css";

interface Wish {
  readonly name: string;
  readonly cron: string;
  readonly minimum: number | null;
  readonly from: string;
  readonly until: string;
  readonly steps: number | null;
  readonly minutes: number | null;
}

const LEAST = { minimum: 0, steps: 1, minutes: 1 } as const;
type Count = keyof typeof LEAST;

/** Saturday night, at most until the morning. */
const USUAL = { name: "", cron: "0 20 * * 6", minimum: 10, from: "20:00", until: "06:00", steps: 400, minutes: 240 } satisfies Wish;

/** Asks when to freeze and train, and how much must have been approved since. */
export function ScheduleForm({ onDone }: { onDone: () => void }) {
  const [wish, setWish] = useState<Wish>(USUAL);
  const wanted = wantedBy(wish);
  const making = useMutation({
    mutationFn: async () => wanted && (await createSchedule(wanted)),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["schedules"] }),
  });
  const place = useKeptPlace<HTMLFormElement>();
  const text = (label: string, field: "name" | "cron" | "from" | "until", type = "text") => (
    <TextInput
      size="xs" label={label} type={type} value={wish[field]} required={field === "name" || field === "cron"} autoFocus={field === "name"}
      onChange={(event) => setWish({ ...wish, [field]: event.currentTarget.value })}
    />
  );
  const count = (label: string, field: Count) => (
    <CountField label={label} min={LEAST[field]} value={wish[field]} onChange={(value) => setWish({ ...wish, [field]: value })} />
  );
  return (
    <form
      ref={place} className={styles.form} aria-label="New schedule" data-testid="schedule-form"
      onSubmit={(event) => {
        event.preventDefault();
        making.mutate(undefined, { onSuccess: onDone });
      }}
    >
      <div className={styles.fields}>
        {text("Name", "name")}
        {text("Minute, hour, day, month, weekday", "cron")}
        {count("Newly approved studies at least", "minimum")}
        {text("Learns from", "from", "time")}
        {text("Learns until", "until", "time")}
        {count("Steps", "steps")}
        {count("Minutes at most", "minutes")}
      </div>
      {making.isError && <Problem error={making.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={making.isPending} disabled={!wanted}>Create</BusyButton>
        <BusyButton variant="default" onClick={onDone}>Cancel</BusyButton>
      </div>
    </form>
  );
}

/** Null while a number is missing. */
function wantedBy({ name, cron, minimum, from, until, steps, minutes }: Wish) {
  if (!isCount(minimum, LEAST.minimum) || !isCount(steps, LEAST.steps) || !isCount(minutes, LEAST.minutes)) return null;
  return {
    name,
    cron,
    minimum_new_studies: minimum,
    window_from: from || null,
    window_until: until || null,
    recipe: { steps, max_minutes: minutes },
  };
}
