import styles from "./study_state.module.css";

export interface StateWords {
  readonly label: string;
  readonly tone: "quiet" | "busy" | "good" | "caution" | "alert";
  readonly meaning: string;
}

/** How something on its way stands. */
export function StateBadge({ state, words }: { state: string; words: StateWords }) {
  return (
    <span className={styles.badge} data-tone={words.tone} data-state={state} title={words.meaning}>
      <span className={styles.dot} aria-hidden />
      {words.label}
    </span>
  );
}
