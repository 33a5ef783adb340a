import { Link } from "react-router";

import type { Visit } from "../server/types";
import styles from "./course.module.css";
import { dateText } from "./formats";

/** Which lesions took up contrast agent at which visit, with the rule; nothing where no two T1s were compared. */
export function VisitUptakes({ visits }: { readonly visits: readonly Visit[] }) {
  const told = visits.flatMap(({ study, study_date, uptakes }) => (uptakes ? [{ study, study_date, ...uptakes }] : [])).toReversed();
  if (told.length === 0) return null;
  return (
    <>
      <h2>Uptake of gadolinium</h2>
      <div className={styles.card}>
        <table className={styles.table} data-testid="visit-uptakes">
          <thead>
            <tr>
              <th scope="col">Study</th>
              <th scope="col">Lesions that take it up</th>
            </tr>
          </thead>
          <tbody>
            {told.map(({ study, study_date, lesions }) => (
              <tr key={study}>
                <td><Link to={`/studies/${study}`}>{dateText(study_date)}</Link></td>
                <td>{lesions.length > 0 ? <strong>{lesions.join(", ")}</strong> : "none"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {[...new Set(told.map(({ rule }) => rule))].map((rule) => <p key={rule} className={styles.lead}>{`A suggestion, which is for a reader to confirm. Takes up gadolinium: ${rule}.`}</p>)}
    </>
  );
}
