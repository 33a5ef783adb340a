import styles from "./reading_view.module.css";
import type { EdgeLetters } from "./reading_stack";

/** Patient sides at the edges of a pane. */
export function Letters({ letters }: { letters: EdgeLetters }) {
  return (
    <div className={styles.letters} aria-label={`Orientation: left edge ${letters.left}, top edge ${letters.top}`} role="img">
      <span className={styles.left}>{letters.left}</span>
      <span className={styles.right}>{letters.right}</span>
      <span className={styles.top}>{letters.top}</span>
      <span className={styles.bottom}>{letters.bottom}</span>
    </div>
  );
}
