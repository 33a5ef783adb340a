import { useMutation } from "@tanstack/react-query";

import { cancelRun, type TrainingRun } from "../server/training";
import { isLive, refreshRuns } from "../state/training";
import { CarefulButton } from "./careful_button";
import { detailOf } from "./problem";
import styles from "./outbox.module.css";

/** Ends a run that goes on or waits; begun again, it learns from its first step. */
export function RunCancel({ run, size }: { run: TrainingRun; size: "xs" | "compact-sm" }) {
  const cancelling = useMutation({ mutationFn: () => cancelRun(run.id), onSettled: refreshRuns });
  if (!isLive(run)) return null;
  const question = run.step > 0 ? "Cancel: its steps are not taken up again" : "Cancel the run";
  return (
    <div>
      <CarefulButton
        label="Cancel …" question={question} keep="Let it learn" size={size} isBusy={cancelling.isPending} onSure={() => cancelling.mutate()}
        testId="cancel-run"
      />
      {cancelling.isError && <p className={styles.error} role="alert">{detailOf(cancelling.error)}</p>}
    </div>
  );
}
