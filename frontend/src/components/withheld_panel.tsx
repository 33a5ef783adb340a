import type { StudyDetail } from "../server/types";
import { countText } from "./formats";
import { Panel } from "./panel";
import panel from "./protocol_panel.module.css";
import styles from "./withheld_panel.module.css";

/** What of the study was not kept, where its node is de-identified. */
export function WithheldPanel({ study: { deidentification: withheld } }: { readonly study: StudyDetail }) {
  if (!withheld) return null;
  const { instances, silent_instances: silent, attributes, profile } = withheld;
  return (
    <Panel title="De-identified on arrival">
      <details className={styles.withheld}>
        <summary data-testid="withheld-summary">{`${countText(attributes.length, "attribute")} of ${countText(instances, "instance")}`}</summary>
        <ul className={styles.list}>
          {attributes.map(({ attribute, outcome, count }) => (
            <li key={`${attribute} ${outcome}`} data-testid="withheld-attribute">
              <span>{attribute === "private" ? "Private attributes" : attribute}</span>
              <small>{`${outcome}, ${count} ×`}</small>
            </li>
          ))}
        </ul>
        <p className={panel.note}>{profile}</p>
      </details>
      {silent > 0 && (
        <div className={panel.prior}>
          <p className={panel.caution} data-testid="withheld-caution">
            {`${countText(silent, "instance does", "instances do")} not say whether words are burned into the picture: look at them.`}
          </p>
        </div>
      )}
    </Panel>
  );
}
