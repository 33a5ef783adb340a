import { Menu, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, NavLink } from "react-router";

import type { Me } from "../server/types";
import { useAppearance, type Appearance } from "../state/appearance";
import { AlertBars } from "./alert_bar";
import styles from "./app_frame.module.css";
import { ConnectionBar } from "./connection_bar";
import { Icon } from "./icons";
import { IdleBar } from "./idle_bar";
import { PageLinks } from "./page_links";

interface AppFrameProps {
  readonly me: Me;
  readonly onSignOut: () => void;
  readonly children: ReactNode;
}

/** The header of every page, the sign of a lost connection, and the page below. */
export function AppFrame({ me, onSignOut, children }: AppFrameProps) {
  return (
    <div className={styles.frame}>
      <a href="#page" className={styles.skip}>Skip to the page</a>
      <header className={styles.header}>
        <NavLink to="/" className={styles.brand} aria-label="PlaqueView, worklist">
          <Logo />
          PlaqueView
        </NavLink>
        <PageLinks me={me} />
        <AlertBars>
          <ConnectionBar />
          <IdleBar />
        </AlertBars>
        <span className={styles.site}>{me.sites.map(({ name }) => name).join(" · ")}</span>
        <UserMenu me={me} onSignOut={onSignOut} />
      </header>
      <main id="page" tabIndex={-1} className={styles.main}>{children}</main>
    </div>
  );
}

const APPEARANCES: readonly { value: Appearance; label: string }[] = [
  { value: "system", label: "As the system, reading room dark" },
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
];

function UserMenu({ me, onSignOut }: { me: Me; onSignOut: () => void }) {
  const { appearance, choose } = useAppearance();
  return (
    <Menu position="bottom-end" width={250} shadow="md">
      <Menu.Target>
        <UnstyledButton className={styles.user} data-testid="user-menu">
          <Icon name="user" />
          {me.display_name || me.username}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{`${me.username}, ${me.role}`}</Menu.Label>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup value={appearance} onChange={(value) => choose(value as Appearance)}>
          {APPEARANCES.map(({ value, label }) => (
            <Menu.RadioItem key={value} value={value} checkIcon={<Icon name="check" />}>{label}</Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component={Link} to="/account" data-testid="open-account">Account …</Menu.Item>
        <Menu.Item component={Link} to="/keys" data-testid="open-keys">Keys …</Menu.Item>
        <Menu.Item onClick={onSignOut} data-testid="sign-out">Sign out</Menu.Item>
        <Menu.Label>{`PlaqueView ${me.version}`}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}

export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="7" fill="#1d2a38" />
      <ellipse cx="16" cy="16" rx="9" ry="11" fill="none" stroke="#a9bfd2" strokeWidth="2" />
      <circle cx="12.5" cy="13" r="2.6" fill="#ff8a4a" />
      <circle cx="19.5" cy="19" r="2.2" fill="none" stroke="#62baf0" strokeWidth="1.8" />
    </svg>
  );
}
