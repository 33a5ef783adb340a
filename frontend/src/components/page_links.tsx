import { Menu, UnstyledButton } from "@mantine/core";
import { Link, NavLink, useLocation } from "react-router";

import type { Me } from "../server/types";
import styles from "./app_frame.module.css";
import { Icon } from "./icons";

interface PageLink {
  readonly to: string;
  readonly label: string;
  /** The action that its page needs; none: a page for everybody. */
  readonly action?: Me["actions"][number];
}

/** What a reader works with: always in view. */
const READING: readonly PageLink[] = [
  { to: "/", label: "Worklist" },
  { to: "/double-readings", label: "Double readings", action: "annotation.edit" },
  { to: "/transfers", label: "Transfers", action: "transfer.read" },
  { to: "/jobs", label: "Jobs", action: "job.read" },
  { to: "/models", label: "Models", action: "model.read" },
];

/** What administrators come for now and then: behind one button, so that the header fits a small screen. */
const ADMINISTRATION: readonly PageLink[] = [
  { to: "/training", label: "Training", action: "training.read" },
  { to: "/schedules", label: "Schedules", action: "training.manage" },
  { to: "/reruns", label: "Re-runs", action: "model.manage" },
  { to: "/monitoring", label: "Monitoring", action: "training.read" },
  { to: "/cohort", label: "Cohort", action: "study.deidentify" },
  { to: "/workers", label: "Workers", action: "worker.read" },
  { to: "/users", label: "Users", action: "user.manage" },
  { to: "/nodes", label: "Nodes", action: "node.manage" },
  { to: "/webhooks", label: "Webhooks", action: "webhook.manage" },
  { to: "/audit", label: "Audit", action: "audit.read" },
];

/** The pages that somebody may open. */
export function PageLinks({ me }: { me: Me }) {
  const open = (links: readonly PageLink[]) => links.filter(({ action }) => !action || me.actions.includes(action));
  return (
    <nav className={styles.nav} aria-label="Pages">
      {open(READING).map(({ to, label }) => <NavLink key={to} to={to} end={to === "/"}>{label}</NavLink>)}
      <AdministrationMenu links={open(ADMINISTRATION)} />
    </nav>
  );
}

function AdministrationMenu({ links }: { links: readonly PageLink[] }) {
  const { pathname } = useLocation();
  const current = links.find(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
  if (!links.length) return null;
  return (
    <Menu position="bottom-start" width={190} shadow="md">
      <Menu.Target>
        <UnstyledButton className={styles.group} data-current={current ? "" : undefined} data-testid="administration-menu">
          {current ? `Administration: ${current.label}` : "Administration"}
          <Icon name="down" size={12} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {links.map(({ to, label }) => (
          <Menu.Item key={to} component={Link} to={to} aria-current={to === current?.to ? "page" : undefined}>{label}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
