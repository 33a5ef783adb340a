import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import type { Enhancement } from "../server/enhancement";
import { askEnhancement, isUnderway, type Taker } from "../state/enhancement";
import { BusyButton } from "./busy_button";
import { detailOf } from "./problem";
import styles from "./region_counts.module.css";

/** What a lesion that enhances is called, wherever it stands. */
export const UPTAKE_TEXT = "takes up gadolinium (suggestion)";

const HOW_TO_SAY_SO = "To say so, make the lesion active where it is not, confirm it and answer that it rests on the T1 after gadolinium.";

interface UptakeNoteProps {
  readonly enhancement: Enhancement;
  /** Those on the screen that took it up. */
  readonly takers: readonly Taker[];
  readonly mayAsk: boolean;
  onShow(taker: Taker): void;
}

/** Which lesions took up contrast agent, by which rule, or why that is not known. */
export function UptakeNote({ enhancement, takers, mayAsk, onShow }: UptakeNoteProps) {
  const { state, reason, rule, suggestion } = enhancement;
  return (
    <details className={styles.regions} data-testid="uptake-note">
      <summary title={rule ?? reason}>{summaryOf(enhancement, takers)}</summary>
      {takers.length > 0 && (
        <p className={styles.note}>
          {takers.map((taker) => (
            <Button key={taker.lesion.id} size="compact-xs" variant="default" mr={4} onClick={() => onShow(taker)}>
              {`Lesion ${taker.lesion.number}, slice ${taker.sliceIndex + 1}`}
            </Button>
          ))}
        </p>
      )}
      {takers.length > 0 && <p className={styles.note}>{`${suggestion} ${HOW_TO_SAY_SO}`}</p>}
      {rule && <p className={styles.note} data-testid="uptake-rule">{`Takes up gadolinium: ${rule}.`}</p>}
      {reason && <p className={styles.note} data-testid="uptake-reason">{`${reason}.`}</p>}
      {state === "failed" && mayAsk && <AskAgain study={enhancement.study} />}
    </details>
  );
}

function AskAgain({ study }: { study: string }) {
  const asking = useMutation({ mutationFn: () => askEnhancement(study) });
  return (
    <>
      <BusyButton size="compact-xs" variant="default" isBusy={asking.isPending} onClick={() => asking.mutate()}>Try again</BusyButton>
      {asking.isError && <p className={styles.note} role="alert">{detailOf(asking.error)}</p>}
    </>
  );
}

function summaryOf(enhancement: Enhancement, takers: readonly Taker[]): string {
  if (isUnderway(enhancement)) return "Gadolinium: the T1s before and after it are being compared";
  if (enhancement.state === "failed") return "Gadolinium: uptake could not be told";
  if (!enhancement.rule) return "Gadolinium: uptake was not looked for";
  if (takers.length === 0) return "Gadolinium: no lesion takes it up (suggestion)";
  const numbers = takers.map(({ lesion }) => lesion.number).join(", ");
  return takers.length === 1 ? `Lesion ${numbers} ${UPTAKE_TEXT}` : `Lesions ${numbers} take up gadolinium (suggestion)`;
}
