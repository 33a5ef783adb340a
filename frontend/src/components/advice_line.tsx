import { useEffect, useState } from "react";

import { useAdvice } from "../state/advice";
import styles from "./advice_line.module.css";

const SHOWN_MS = 5_000;

/** One line above the slices that says what to do next, for a few seconds; read out by screen readers. */
export function AdviceLine() {
  const { text, count } = useAdvice();
  const [read, setRead] = useState(count);
  useEffect(() => {
    const waiting = setTimeout(() => setRead(count), SHOWN_MS);
    return () => clearTimeout(waiting);
  }, [count]);
  return (
    <div role="status" className={styles.place} data-testid="advice">
      {count > read && <p key={count} className={styles.advice}>{text}</p>}
    </div>
  );
}
