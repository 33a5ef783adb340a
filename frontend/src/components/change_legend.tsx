import { ActionIcon, Tooltip } from "@mantine/core";

import type { StudyChanges } from "../server/longitudinal";
import { shownChange } from "../state/change_view";
import { usePanes } from "../state/panes";
import { useReading } from "../state/reading";
import { countOf, SHOWN_KINDS, type ShownChange, type ShownKind } from "../state/shown_changes";
import { stepChange } from "../tools/changes";
import { ChangeMark } from "./change_mark";
import styles from "./change_legend.module.css";
import { UNKNOWN, volumeText } from "./formats";
import { Icon } from "./icons";
import { cautionsOf } from "./protocol_texts";

export const CHANGE_NAMES: Readonly<Record<ShownKind, string>> = {
  new: "New", enlarging: "Enlarging", brightened: "Brighter", stable: "Stable", shrinking: "Shrinking", resolved: "Resolved",
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
        {SHOWN_KINDS.map((kind) => (
          <button
            key={kind} type="button" className={styles.kind} disabled={!countOf(changes, kind)} aria-pressed={shown?.change === kind}
            onClick={() => stepChange(changes, kind, 1)} data-testid={`change-${kind}`}
          >
            <ChangeMark kind={kind} />
            {CHANGE_NAMES[kind]}
            <span className={styles.count}>{countOf(changes, kind) ?? UNKNOWN}</span>
          </button>
        ))}
        <Step label="Next change" icon="forward" onClick={() => stepChange(changes, null, 1)} />
        {shown && <span className={styles.volumes} role="status">{volumesText(shown)}</span>}
      </div>
      {shown?.suggests && <p className={styles.suggestion} role="status" data-testid="change-suggestion">{suggestionText(shown, changes)}</p>}
      {cautionsOf(changes.protocol).length > 0 && <p className={styles.suggestion} data-testid="change-caution">{cautionsOf(changes.protocol).join(" ")}</p>}
      <div className={styles.rules} tabIndex={0} role="note" aria-label="Rules of the changes">
        <p className={styles.rule}>{changes.rule}</p>
        <p className={styles.rule} data-testid="brightening-rule">{brighteningText(changes)}</p>
      </div>
    </section>
  );
}

function volumesText({ change, prior_volume_ml, volume_ml }: ShownChange): string {
  if (change === "brightened") return `${volumeText(volume_ml)} ml became brighter`;
  return `${volumeText(prior_volume_ml)} → ${volumeText(volume_ml)} ml`;
}

/** How the brighter places were found, or why there are none to tell of. */
function brighteningText({ brightening }: StudyChanges): string {
  if (!brightening) return "Brighter: not looked for when these two studies were registered.";
  return brightening.note ? `Brighter: could not be told, ${brightening.note}.` : `Brighter: ${brightening.rule}; without those where a lesion is new or enlarging`;
}

/** What the change says of its lesions, and how a reader takes it up. */
function suggestionText({ change, lesions, anchor }: ShownChange, { suggestion, brightening }: StudyChanges): string {
  const which = lesions.length === 1 ? `Lesion ${lesions[0]}` : `Lesions ${lesions.join(", ")}`;
  const said = change === "brightened" ? brightening?.suggestion : suggestion;
  if (lesions.length === 0 && change !== "brightened") return `Slice ${anchor[0] + 1}: its lesion is gone from this draft.`;
  if (lesions.length === 0) return `Slice ${anchor[0] + 1}, no lesion marked here: became brighter. ${said} To take it up, correct the study and draw the lesion.`;
  return `${which}: ${change === "brightened" ? "became brighter, may be active" : "suggests active"}. ${said} To say so, make the lesion active where it is not, confirm it and answer that it rests on a prior study.`;
}

function Step({ label, icon, onClick }: { label: string; icon: "back" | "forward"; onClick: () => void }) {
  return <Tooltip label={label}><ActionIcon size={24} onClick={onClick} aria-label={label}><Icon name={icon} size={14} /></ActionIcon></Tooltip>;
}
