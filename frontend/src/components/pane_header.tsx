import { Menu, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";

import type { StudyDetail } from "../server/types";
import { usePanes } from "../state/panes";
import { dateText } from "./formats";
import { Icon } from "./icons";
import styles from "./pane_header.module.css";

interface PaneHeaderProps {
  readonly title: string;
  readonly date: string | null;
  readonly description: string;
  /** By what the pane goes with the study's own. */
  readonly link?: string;
  /** The priors to choose from, the newest first; only in the pane of the prior. */
  readonly priors?: StudyDetail["priors"];
}

/** Which study and series a pane shows: date first, since that is what two panes differ in. */
export function PaneHeader({ title, date, description, link, priors = [] }: PaneHeaderProps) {
  const label = <><strong>{title}</strong><span className={styles.date}>{date ? dateText(date) : "No study date"}</span></>;
  return (
    <header className={styles.header} data-testid="pane-header">
      {priors.length > 1 ? <PriorMenu priors={priors}>{label}</PriorMenu> : label}
      <span className={styles.description} title={description}>{description}</span>
      {link && <span className={styles.link} data-testid="pane-link">{link}</span>}
    </header>
  );
}

function PriorMenu({ priors, children }: { priors: StudyDetail["priors"]; children: ReactNode }) {
  return (
    <Menu shadow="md" position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={styles.choose} aria-label="Choose the prior">{children}<Icon name="down" size={12} /></UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {priors.map(({ id, study_date }) => (
          <Menu.Item key={id} onClick={() => usePanes.getState().choosePrior(id)}>{study_date ? dateText(study_date) : "No study date"}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
