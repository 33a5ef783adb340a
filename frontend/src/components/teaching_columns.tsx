import type { Study } from "../server/types";
import { UNKNOWN } from "./formats";
import { COUNTS, IDENTIFIER, PATIENT, READER, STUDY_DATE, type Column } from "./study_table";
import styles from "./teaching_columns.module.css";

/** The worklist by what labelling each study would teach: its score, and the reasons with their figures. */
export const TEACHING_COLUMNS: readonly Column[] = [
  { ...PATIENT, className: styles.patient },
  IDENTIFIER,
  STUDY_DATE,
  {
    title: "Teaches", field: "teaching_score", className: styles.score,
    cell: (study) => <td className={styles.score} title={study.teaching?.rule}>{study.teaching?.score.toFixed(2) ?? UNKNOWN}</td>,
  },
  { title: "Why", className: styles.reasons, cell: (study) => <ReasonsCell study={study} /> },
  ...COUNTS,
  READER,
];

/** How the scores come about. */
export function TeachingRule({ studies }: { studies: readonly Study[] }) {
  const rule = studies[0]?.teaching?.rule;
  return rule ? <p className={styles.rule}>{`Score: ${rule}`}</p> : null;
}

function ReasonsCell({ study }: { study: Study }) {
  return (
    <td className={styles.reasons} data-testid="teaching-reasons">
      <ul>
        {(study.teaching?.parts ?? []).map(({ name, value, text }) => (
          <li key={name}><b className="number">{value.toFixed(2)}</b> {text}</li>
        ))}
      </ul>
    </td>
  );
}
