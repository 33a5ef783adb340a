import { Tooltip } from "@mantine/core";

import type { Presence } from "../state/presence";
import styles from "./presence_marks.module.css";

const MOST_SHOWN = 4;

/** Who else has the study open, as initials; somebody who edits has a ring. Nothing when the reader is alone. */
export function PresenceMarks({ others }: { others: readonly Presence[] }) {
  if (others.length === 0) return null;
  return (
    <ul className={styles.marks} aria-label="Also on this study" data-testid="presence">
      {others.slice(0, MOST_SHOWN).map((other) => <Mark key={other.reader} presence={other} />)}
      {others.length > MOST_SHOWN && <li className={styles.more}>{`+${others.length - MOST_SHOWN}`}</li>}
    </ul>
  );
}

function Mark({ presence: { reader, isEditing } }: { presence: Presence }) {
  const says = isEditing ? `${reader} is editing this study` : `${reader} has this study open`;
  return (
    <Tooltip label={says}>
      <li className={styles.mark} data-editing={isEditing || undefined} data-reader={reader}>
        <span aria-hidden>{initialsOf(reader)}</span>
        <span className="visually-hidden">{says}</span>
      </li>
    </Tooltip>
  );
}

/** Two letters: of the first two words, or of the only one. */
export function initialsOf(name: string): string {
  const [first = "", second] = name.split(/[\s._@-]+/u).filter(Boolean);
  return (second ? `${first.charAt(0)}${second.charAt(0)}` : first.slice(0, 2)).toUpperCase();
}
