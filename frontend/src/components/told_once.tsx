import { Button, Code, CopyButton } from "@mantine/core";
import type { ReactNode } from "react";

import styles from "./node_form.module.css";
import { Notice } from "./problem";

interface ToldOnceProps {
  readonly title: string;
  /** To whom it goes, and that it cannot be shown again. */
  readonly text: string;
  /** What the server tells this once: it is kept nowhere but in the dialog. */
  readonly secret: string;
  readonly testId: string;
  readonly children?: ReactNode;
  onClose(): void;
}

export function ToldOnce({ title, text, secret, testId, children, onClose }: ToldOnceProps) {
  return (
    <div className={styles.form}>
      <Notice tone="caution" icon="info" title={title}><p>{text}</p></Notice>
      <Code block className={styles.secret} data-testid={testId}>{secret}</Code>
      {children}
      <div className={styles.actions}>
        <CopyButton value={secret}>{({ copied, copy }) => <Button autoFocus onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
        <Button variant="default" onClick={onClose}>Done</Button>
      </div>
    </div>
  );
}
