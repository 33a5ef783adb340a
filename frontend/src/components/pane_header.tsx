import { Menu, Tooltip, UnstyledButton } from "@mantine/core";
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
  /** What forbids to compare the numbers of both panes, each a sentence. */
  readonly cautions?: readonly string[];
  /** The priors to choose from, the newest first; only in the pane of the prior. */
  readonly priors?: StudyDetail["priors"];
}

/** Which study and series a pane shows: date first, since that is what two panes differ in. */
export function PaneHeader({ title, date, description, link, cautions = [], priors = [] }: PaneHeaderProps) {
  const label = <><strong>{title}</strong><span className={styles.date}>{date ? dateText(date) : "No study date"}</span></>;
  return (
    <header className={styles.header} data-testid="pane-header">
      {priors.length > 1 ? <PriorMenu priors={priors}>{label}</PriorMenu> : label}
      <span className={styles.description} title={description}>{description}</span>
      {cautions.length > 0 && <Caution cautions={cautions} />}
      {link && <span className={styles.link} title={link} data-testid="pane-link">{link}</span>}
    </header>
  );
}

function Caution({ cautions }: { cautions: readonly string[] }) {
  return (
    <Tooltip label={cautions.join(" ")} multiline maw={320}>
      <span className={styles.caution} tabIndex={0} role="note" aria-label={cautions.join(" ")} data-testid="pane-caution"><Icon name="warning" size={12} />Other protocol</span>
    </Tooltip>
  );
}

function PriorMenu({ priors, children }: { priors: StudyDetail["priors"]; children: ReactNode }) {
  return (
    <Menu shadow="md" position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={styles.choose}>{children}<span className="visually-hidden">, choose another prior</span><Icon name="down" size={12} /></UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {priors.map(({ id, study_date }) => (
          <Menu.Item key={id} onClick={() => usePanes.getState().choosePrior(id)}>{study_date ? dateText(study_date) : "No study date"}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
