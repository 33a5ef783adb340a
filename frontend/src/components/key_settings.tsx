import { Kbd } from "@mantine/core";
import { useEffect, useEffectEvent, useState } from "react";

import { conflictsOf, withKeys, type ChosenKeys } from "../state/keymap";
import { chordOf, chordText, isWholeKey } from "../tools/chords";
import { COMMAND_GROUPS, type Command } from "../tools/command";
import { COMMANDS, keysOf } from "../tools/commands";
import { BusyButton } from "./busy_button";
import { Icon } from "./icons";
import { useKeptPlace } from "./kept_place";
import styles from "./key_settings.module.css";

const GROUPS = COMMAND_GROUPS.map((group) => ({ group, commands: COMMANDS.filter((command) => command.group === group) })).filter(({ commands }) => commands.length > 0);

interface KeySettingsProps {
  readonly chosen: ChosenKeys;
  onChange(keys: ChosenKeys): void;
}

/** Every command with its keys, which can be taken away and added; a key that two commands have is told at both. */
export function KeySettings({ chosen, onChange }: KeySettingsProps) {
  const [asking, ask] = useState<string | null>(null);
  const conflicts = conflictsOf(COMMANDS, chosen);
  const change = (command: Command, keys: readonly string[]) => onChange(withKeys(chosen, command, keys));
  return (
    <div className={styles.groups}>
      {conflicts.size > 0 && (
        <p className={styles.conflicts} role="alert" data-testid="key-conflicts">
          <Icon name="warning" size={15} />
          {[...conflicts].map(([key, commands]) => `${chordText(key)} runs ${commands.map(({ title }) => `“${title}”`).join(" and ")}; only the first works.`).join(" ")}
        </p>
      )}
      {GROUPS.map(({ group, commands }) => (
        <section key={group} aria-label={group}>
          <h2>{group}</h2>
          <ul className={styles.list}>
            {commands.map((command) => (
              <KeyLine
                key={command.id} command={command} keys={keysOf(command, chosen)} isChosen={command.id in chosen} conflicts={conflicts}
                isAsking={asking === command.id} onAsk={(isAsking) => ask(isAsking ? command.id : null)} onChange={(keys) => change(command, keys)}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

interface KeyLineProps {
  readonly command: Command;
  readonly keys: readonly string[];
  readonly isChosen: boolean;
  readonly conflicts: ReadonlyMap<string, readonly Command[]>;
  /** True while the next key that is pressed is added. */
  readonly isAsking: boolean;
  onAsk(isAsking: boolean): void;
  onChange(keys: readonly string[]): void;
}

function KeyLine({ command, keys, isChosen, conflicts, isAsking, onAsk, onChange }: KeyLineProps) {
  const { id, title } = command;
  return (
    <li className={styles.line} data-testid="key-line" data-command={id}>
      <span className={styles.title}>{title}</span>
      <span className={styles.keys}>
        {keys.map((key) => (
          <KeyMark
            key={key} text={chordText(key)} title={title} isConflict={conflicts.has(key)}
            onTake={() => onChange(keys.filter((other) => other !== key))}
          />
        ))}
        {keys.length === 0 && <span className={styles.none}>no key</span>}
      </span>
      <span className={styles.actions}>
        {isAsking ? (
          <KeyCatcher
            onCancel={() => onAsk(false)}
            onKey={(key) => {
              onAsk(false);
              onChange([...keys, key]);
            }}
          />
        ) : (
          <BusyButton variant="default" size="compact-xs" onClick={() => onAsk(true)} aria-label={`Add a key for ${title}`} data-testid="add-key">Add</BusyButton>
        )}
        <BusyButton
          variant="subtle" size="compact-xs" disabled={!isChosen} onClick={() => onChange(command.keys)} aria-label={`Reset the keys of ${title}`}
        >
          Reset
        </BusyButton>
      </span>
    </li>
  );
}

function KeyMark({ text, title, isConflict, onTake }: { text: string; title: string; isConflict: boolean; onTake: () => void }) {
  const button = useKeptPlace<HTMLButtonElement>();
  return (
    <span className={styles.key} data-conflict={isConflict || undefined}>
      <Kbd size="xs">{text}</Kbd>
      <button ref={button} type="button" aria-label={`Take ${text} from ${title}`} onClick={onTake}>
        <Icon name="close" size={11} />
      </button>
    </span>
  );
}

/** Takes the next whole key as a chord; Escape and a click elsewhere take none. */
function KeyCatcher({ onKey, onCancel }: { onKey: (key: string) => void; onCancel: () => void }) {
  const caught = useEffectEvent((event: KeyboardEvent) => {
    if (!isWholeKey(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Escape" || event.key === "Tab") onCancel();
    else onKey(chordOf(event));
  });
  const cancelled = useEffectEvent(onCancel);
  useEffect(() => {
    const stopping = new AbortController();
    window.addEventListener("keydown", (event) => caught(event), { capture: true, signal: stopping.signal });
    window.addEventListener("pointerdown", () => cancelled(), { signal: stopping.signal });
    return () => stopping.abort();
  }, []);
  return <span className={styles.asking} role="status" data-testid="press-a-key">Press a key …</span>;
}
