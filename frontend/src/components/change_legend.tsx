import { ActionIcon, Tooltip } from "@mantine/core";

import { CHANGE_KINDS, type ChangeKind, type LesionChange, type StudyChanges } from "../server/longitudinal";
import { shownChange } from "../state/change_view";
import { usePanes } from "../state/panes";
import { useReading } from "../state/reading";
import { stepChange } from "../tools/changes";
import { ChangeMark } from "./change_mark";
import styles from "./change_legend.module.css";
import { volumeText } from "./formats";
import { Icon } from "./icons";
import { cautionsOf } from "./protocol_texts";

export const CHANGE_NAMES: Readonly<Record<ChangeKind, string>> = {
  new: "New", enlarging: "Enlarging", stable: "Stable", shrinking: "Shrinking", resolved: "Resolved",
};

/** What the painted lesions mean, how many there are of each, and by which rule; a press goes through those of a kind. */
export function ChangeLegend({ changes }: { changes: StudyChanges }) {
  const chosen = usePanes((panes) => panes.chosenChange);
  const selected = useReading((reading) => reading.selectedLesion);
  const shown = shownChange(changes, chosen, selected);
  return (
    <section className={styles.legend} aria-label="Changes since the prior" data-testid="change-legend">
      <div className={styles.kinds}>
        <Step label="Previous change" icon="back" onClick={() => stepChange(changes, null, -1)} />
        {CHANGE_KINDS.map((kind) => (
          <button
            key={kind} type="button" className={styles.kind} disabled={changes.counts[kind] === 0} aria-pressed={shown?.change === kind}
            onClick={() => stepChange(changes, kind, 1)} data-testid={`change-${kind}`}
          >
            <ChangeMark kind={kind} />
            {CHANGE_NAMES[kind]}
            <span className={styles.count}>{changes.counts[kind]}</span>
          </button>
        ))}
        <Step label="Next change" icon="forward" onClick={() => stepChange(changes, null, 1)} />
        {shown && <span className={styles.volumes} role="status">{`${volumeText(shown.prior_volume_ml)} → ${volumeText(shown.volume_ml)} ml`}</span>}
      </div>
      {shown?.suggests && <p className={styles.suggestion} role="status" data-testid="change-suggestion">{suggestionText(shown, changes.suggestion)}</p>}
      {cautionsOf(changes.protocol).length > 0 && <p className={styles.suggestion} data-testid="change-caution">{cautionsOf(changes.protocol).join(" ")}</p>}
      <p className={styles.rule}>{changes.rule}</p>
    </section>
  );
}

/** What the change says of its lesions, and how a reader takes it up. */
function suggestionText({ lesions }: LesionChange, suggestion: string): string {
  const which = lesions.length === 1 ? `Lesion ${lesions[0]}` : `Lesions ${lesions.join(", ")}`;
  return `${which}: suggests active. ${suggestion} To say so, make the lesion active where it is not, confirm it and answer that it rests on a prior study.`;
}

function Step({ label, icon, onClick }: { label: string; icon: "back" | "forward"; onClick: () => void }) {
  return <Tooltip label={label}><ActionIcon size={24} onClick={onClick} aria-label={label}><Icon name={icon} size={14} /></ActionIcon></Tooltip>;
}
