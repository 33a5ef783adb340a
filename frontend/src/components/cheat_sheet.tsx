import { Kbd, Modal } from "@mantine/core";
import { Link } from "react-router";

import { useKeymap } from "../state/keymap";
import { chordText } from "../tools/chords";
import { COMMAND_GROUPS, type Command } from "../tools/command";
import { COMMANDS, keysOf } from "../tools/commands";
import styles from "./cheat_sheet.module.css";

const GROUPS = COMMAND_GROUPS.filter((group) => COMMANDS.some((command) => command.group === group));

const MOUSE: readonly (readonly [string, string])[] = [
  ["Wheel", "Scroll through slices"],
  ["Left drag", "The chosen tool, window at first"],
  ["Middle drag", "Move the slice"],
  ["Right drag", "Zoom"],
  ["Ctrl + wheel", "Zoom"],
];

export function CheatSheet({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keys and mouse" size="min(1180px, 94vw)" centered>
      <p className={styles.change}><Link to="/keys">Choose other keys</Link></p>
      <div className={styles.groups} data-testid="cheat-sheet">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {COMMANDS.filter((command) => command.group === group).map((command) => (
                <KeyLine key={command.id} command={command} />
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Mouse</h3>
          <dl>
            {MOUSE.map(([gesture, effect]) => (
              <div key={gesture} className={styles.line}>
                <dt>{gesture}</dt>
                <dd>{effect}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Modal>
  );
}

function KeyLine({ command }: { command: Command }) {
  const keys = useKeymap((keymap) => keysOf(command, keymap.keys));
  return (
    <div className={styles.line}>
      <dt>
        {keys.map((key) => <Kbd key={key} size="xs">{chordText(key)}</Kbd>)}
        {keys.length === 0 && <span className={styles.none}>no key</span>}
      </dt>
      <dd>{command.title}</dd>
    </div>
  );
}
