import type { ReactNode } from "react";

import { Logo } from "./app_frame";
import styles from "./entrance.module.css";

/** The card of the pages that are there before anybody is signed in. */
export function Entrance({ children }: { children: ReactNode }) {
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Logo size={30} />
          <h1>PlaqueView</h1>
        </div>
        {children}
        <p className={styles.claim}>Research use only, not a medical device.</p>
      </div>
    </main>
  );
}

interface EntranceFormProps {
  readonly problem: string | undefined;
  readonly onSubmit: (form: FormData) => void;
  readonly children: ReactNode;
}

/** What is filled in there; one line is kept for what was wrong. */
export function EntranceForm({ problem, onSubmit, children }: EntranceFormProps) {
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      {children}
      <p className={styles.problem} role="alert">{problem ?? ""}</p>
    </form>
  );
}

export function EntranceHint({ children }: { children: ReactNode }) {
  return <p className={styles.claim}>{children}</p>;
}

export function EntranceText({ children }: { children: ReactNode }) {
  return <p className={styles.text} role="status">{children}</p>;
}
