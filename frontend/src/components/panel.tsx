import type { ReactNode } from "react";

import styles from "./panel.module.css";

/** A titled part of a side panel. */
export function Panel({ title, aside, isGrowing, children }: { title: string; aside?: ReactNode; isGrowing?: boolean; children: ReactNode }) {
  return (
    <section className={styles.panel} data-growing={isGrowing || undefined} aria-label={title}>
      <header className={styles.header}>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
