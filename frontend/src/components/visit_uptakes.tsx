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
      <ul data-testid="visit-uptakes">
        {told.map(({ study, study_date, lesions }) => (
          <li key={study}>
            <Link to={`/studies/${study}`}>{dateText(study_date)}</Link>
            {`: ${textOf(lesions)}`}
          </li>
        ))}
      </ul>
      {[...new Set(told.map(({ rule }) => rule))].map((rule) => <p key={rule} className={styles.lead}>{`Takes up gadolinium, which is for a reader to confirm: ${rule}.`}</p>)}
    </>
  );
}

function textOf(lesions: readonly number[]): string {
  if (lesions.length === 0) return "no lesion takes it up (suggestion)";
  return `${lesions.length === 1 ? "lesion" : "lesions"} ${lesions.join(", ")} (suggestion)`;
}
