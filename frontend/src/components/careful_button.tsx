import { useState } from "react";

import { BusyButton } from "./busy_button";
import styles from "./careful_button.module.css";

interface CarefulButtonProps {
  /** What is begun, with "…" at its end. */
  readonly label: string;
  /** What happens, in whole words. */
  readonly question: string;
  /** The way back. */
  readonly keep?: string;
  readonly size?: "xs" | "compact-sm";
  readonly isBusy: boolean;
  readonly testId: string;
  onSure(): void;
}

/** A button for what cannot be taken back: it asks once more before it acts, and a key that is held does not answer. */
export function CarefulButton({ label, question, keep = "Keep it", size = "xs", isBusy, testId, onSure }: CarefulButtonProps) {
  const [step, go] = useState<"begin" | "asked" | "kept">("begin");
  if (step !== "asked") {
    return <BusyButton variant="default" size={size} autoFocus={step === "kept"} onClick={() => go("asked")} data-testid={testId}>{label}</BusyButton>;
  }
  return (
    <span className={styles.asked} role="group" aria-label={label} onKeyDown={(event) => event.repeat && event.preventDefault()}>
      <BusyButton color="red.9" size={size} autoFocus isBusy={isBusy} onClick={onSure} data-testid="confirm">{question}</BusyButton>
      <BusyButton variant="default" size={size} disabled={isBusy} onClick={() => go("kept")}>{keep}</BusyButton>
    </span>
  );
}
