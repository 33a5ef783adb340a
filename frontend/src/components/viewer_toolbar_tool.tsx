import { ActionIcon, Tooltip, UnstyledButton } from "@mantine/core";
import { use } from "react";

import { chordText } from "../tools/chords";
import type { Command } from "../tools/command";
import { keysOf } from "../tools/commands";
import { Icon, type IconName } from "./icons";
import { useKeyText } from "./key_hint";
import { Settled } from "./settled";
import styles from "./viewer_toolbar.module.css";

interface ToolProps {
  readonly command: Command;
  readonly icon: IconName;
  readonly isPressed?: boolean;
  /** Why the tool cannot be used here, told in place of what it does. */
  readonly problem?: string | null;
  run(command: Command): void;
}

/** A button that runs a command, and says by which key it is run too. */
export function Tool({ command, icon, isPressed, problem, run }: ToolProps) {
  const keyName = useKeyText(command);
  return (
    <ToolButton
      label={command.title} keyName={keyName} icon={icon} isPressed={isPressed} problem={problem ?? null} onClick={() => run(command)}
    />
  );
}

export function keyText(command: Command): string {
  return chordText(keysOf(command)[0] ?? "");
}

interface ToolButtonProps {
  readonly label: string;
  readonly keyName: string;
  readonly icon: IconName;
  readonly text?: string;
  readonly isPressed?: boolean | undefined;
  readonly problem?: string | null;
  onClick(): void;
}

export function ToolButton({ label, keyName, icon, text, isPressed, problem = null, onClick }: ToolButtonProps) {
  if (!use(Settled)) return <span className={styles.place} />;
  const hint = problem ?? `${label}  (${keyName})`;
  const button = text ? (
    <UnstyledButton className={styles.textTool} onClick={onClick} aria-label={label}>
      <Icon name={icon} />
      {text}
    </UnstyledButton>
  ) : (
    <ActionIcon
      size={30} onClick={() => problem === null && onClick()} aria-label={label} aria-pressed={isPressed} aria-disabled={problem !== null}
      data-pressed={isPressed || undefined} data-off={problem !== null || undefined} className={styles.tool}
    >
      <Icon name={icon} size={17} />
    </ActionIcon>
  );
  return <Tooltip label={hint} multiline maw={340}>{button}</Tooltip>;
}
