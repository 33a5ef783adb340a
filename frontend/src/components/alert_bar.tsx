import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import styles from "./alert_bar.module.css";
import { Icon } from "./icons";
import { useKeptPlace } from "./kept_place";

/** Where the bars of the header stand: beside the names of the pages, or below them where there is no room. */
export function AlertBars({ children }: { children: ReactNode }) {
  return <div className={styles.bars}>{children}</div>;
}

interface AlertBarProps {
  readonly role: "alert" | "status";
  readonly text: string;
  readonly action: string;
  readonly testId: string;
  onAct(): void;
}

/** What is the case on every page, and the one thing to do about it. */
export function AlertBar({ role, text, action, testId, onAct }: AlertBarProps) {
  const place = useKeptPlace<HTMLDivElement>();
  return (
    <div ref={place} className={styles.bar} role={role} data-testid={testId}>
      <Icon name="warning" />
      <span className={styles.text}>{text}</span>
      <Button variant="default" size="compact-xs" onClick={onAct}>{action}</Button>
    </div>
  );
}
