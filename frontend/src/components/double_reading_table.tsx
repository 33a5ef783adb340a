import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Agreement, DoubleReading, DoubleReadingState } from "../server/double_readings";
import type { Me } from "../server/types";
import { studyQuery } from "../state/queries";
import styles from "./double_reading_table.module.css";
import { dateText, nameText, UNKNOWN } from "./formats";

const STATE_TEXTS: Readonly<Record<DoubleReadingState, string>> = {
  reading: "Being read", adjudication: "Waits for the adjudicator", done: "Decided",
};

const MEASURES: readonly { field: Exclude<keyof Agreement, "rule" | "lesions_matched">; title: string; hint: string }[] = [
  { field: "dice", title: "Dice", hint: "Overlap of all lesions, 0 to 1" },
  { field: "dice_active", title: "Dice active", hint: "Overlap of active lesions, 0 to 1" },
  { field: "dice_inactive", title: "Dice inactive", hint: "Overlap of inactive lesions, 0 to 1" },
  { field: "lesion_f1", title: "Lesion F1", hint: "Lesions that both readers marked, 0 to 1" },
  { field: "class_kappa", title: "κ of classes", hint: "Cohen’s kappa of active and inactive over the lesions that both marked" },
];

/** Every double reading that the reader may know of, with how far the two readers agree. */
export function DoubleReadingTable({ readings, me }: { readings: readonly DoubleReading[]; me: Me }) {
  if (readings.length === 0) return <p className={styles.none}>No study is read twice.</p>;
  const rules = [...new Set(readings.flatMap(({ agreement }) => agreement?.rule ?? []))];
  return (
    <>
      <div className={styles.card}>
        <table className={styles.table} aria-label="Double readings">
          <thead>
            <tr>
              <th scope="col">Study</th>
              <th scope="col">Readers</th>
              <th scope="col">Adjudicator</th>
              <th scope="col">State</th>
              {MEASURES.map(({ field, title, hint }) => <th key={field} scope="col" className={styles.number} title={hint}>{title}</th>)}
            </tr>
          </thead>
          <tbody>{readings.map((reading) => <Line key={reading.id} reading={reading} me={me} />)}</tbody>
        </table>
      </div>
      {rules.map((rule) => <p key={rule} className={styles.none}>{`Agreement: ${rule.replace(/\.$/, "")}.`}</p>)}
    </>
  );
}

function Line({ reading, me }: { reading: DoubleReading; me: Me }) {
  const study = useQuery(studyQuery(reading.study));
  const name = study.data ? `${nameText(study.data.patient.name)}, ${dateText(study.data.study_date)}` : "Open";
  const versions = reading.readings.flatMap(({ annotation }) => annotation ?? []);
  const isComparable = reading.state !== "reading" && reading.adjudicator === me.username && versions.length === 2;
  return (
    <tr data-testid="double-reading" data-state={reading.state}>
      <td>
        <Link to={`/studies/${reading.study}${isComparable ? `?compare=${versions.join()}` : ""}`}>{name}</Link>
        {isComparable && <div className={styles.hint}>Opens both readings compared</div>}
      </td>
      <td>
        {reading.readings.map(({ reader, is_submitted }) => (
          <div key={reader} className={styles.reader}>{reader}<span className={styles.hint}>{is_submitted ? " · submitted" : " · reading"}</span></div>
        ))}
      </td>
      <td>{reading.adjudicator}</td>
      <td>{STATE_TEXTS[reading.state]}</td>
      {MEASURES.map(({ field }) => <td key={field} className={styles.number}>{measureText(reading.agreement?.[field])}</td>)}
    </tr>
  );
}

function measureText(value: number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(3) : UNKNOWN;
}
