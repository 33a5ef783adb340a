import type { TransferState } from "../server/transfers";
import styles from "./study_state.module.css";
import { TRANSFER_STATES } from "./transfer_words";

export function TransferBadge({ state }: { state: TransferState }) {
  const { label, tone, meaning } = TRANSFER_STATES[state];
  return (
    <span className={styles.badge} data-tone={tone} data-state={state} title={meaning}>
      <span className={styles.dot} aria-hidden />
      {label}
    </span>
  );
}
