import type { ReactNode } from "react";
import { Link } from "react-router";

import type { StudyDetail } from "../server/types";
import { ageText, dateText, nameText } from "./formats";
import styles from "./patient_header.module.css";
import { StudyStateBadge } from "./study_state";

/** Whose study this is: never out of sight while slices are on the screen. */
export function PatientHeader({ study, children }: { study: StudyDetail; children?: ReactNode }) {
  const { patient } = study;
  const name = nameText(patient.name);
  const born = [dateText(patient.birth_date), ageText(patient.birth_date, study.study_date), patient.sex].filter((part) => part && part !== "–");
  return (
    <div className={styles.header} data-testid="patient-header">
      <h1 className={styles.name}><Link to={`/patients/${patient.id}`} title={name}>{name}</Link></h1>
      <span className={styles.identifier}>{patient.patient_id}</span>
      <span className={styles.born}>{born.join(" · ")}</span>
      <span className={styles.divider} aria-hidden />
      <span className={styles.study}>{study.study_date ? dateText(study.study_date) : "No study date"}</span>
      <span className={styles.detail} title={[study.study_description, study.institution_name].filter(Boolean).join(", ")}>{study.study_description}</span>
      {study.accession_number && <span className={styles.accession}>{`Acc. ${study.accession_number}`}</span>}
      <span className={styles.state}>
        <StudyStateBadge study={study} />
        {children}
      </span>
    </div>
  );
}
