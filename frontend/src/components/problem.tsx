import type { ReactNode } from "react";

import { ProblemError } from "../server/problem";
import { BusyButton } from "./busy_button";
import { Icon, type IconName } from "./icons";
import styles from "./problem.module.css";

export function titleOf(error: unknown): string {
  return error instanceof ProblemError ? error.title : "Something went wrong";
}

export function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the server refused and why, with the next step. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  return (
    <Notice tone="alert" icon="warning" title={titleOf(error)}>
      <p>{detailOf(error)}</p>
      {error instanceof ProblemError && error.fields.map(({ field, detail }) => <p key={field}>{`${field}: ${detail}`}</p>)}
      {onRetry && (
        <BusyButton variant="default" onClick={onRetry} leftSection={<Icon name="retry" />}>
          Try again
        </BusyButton>
      )}
    </Notice>
  );
}

interface NoticeProps {
  readonly tone: "alert" | "caution" | "quiet";
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

/** A calm box: what is the case, why, and what to do. */
export function Notice({ tone, icon, title, children }: NoticeProps) {
  return (
    <div className={styles.notice} data-tone={tone} role={tone === "alert" ? "alert" : "status"}>
      <span className={styles.icon}>
        <Icon name={icon} size={18} />
      </span>
      <div className={styles.text}>
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}
