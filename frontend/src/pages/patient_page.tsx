import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { CLASS_NAMES, ClassMark } from "../components/class_mark";
import { CourseCharts } from "../components/course_charts";
import { ageText, dateText, nameText, UNKNOWN, volumeText } from "../components/formats";
import { countsClaimOf, LesionCount } from "../components/lesion_count";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { HoldNote, PatientDeletion } from "../components/patient_deletion";
import { Problem } from "../components/problem";
import { SameSlices } from "../components/same_slices";
import { StudyStateBadge } from "../components/study_state";
import { VisitChangeTable } from "../components/visit_change_table";
import { VisitUptakes } from "../components/visit_uptakes";
import { LESION_CLASSES } from "../geometry/labels";
import { timelineCsvUrl } from "../server/downloads";
import { ProblemError } from "../server/problem";
import type { Me, Study } from "../server/types";
import { useLivePatient } from "../state/live_pages";
import { patientQuery, timelineQuery } from "../state/queries";
import { NotFoundPage } from "./not_found_page";
import styles from "./plain_page.module.css";

const NONE: readonly string[] = [];

/** A patient's studies over time, newest first, with what was counted in each. */
export function PatientPage({ me }: { readonly me: Me }) {
  const { id = "" } = useParams();
  usePageTitle("Patient");
  const patient = useQuery(patientQuery(id));
  useLivePatient(id, patient.data?.studies.map((study) => study.id) ?? NONE);
  if (patient.error instanceof ProblemError && patient.error.status === 404) return <NotFoundPage what="This patient" />;
  if (patient.isError && !patient.data) return <div className={styles.page}><Problem error={patient.error} onRetry={() => void patient.refetch()} /></div>;
  if (!patient.data) return <div className={styles.centre}><Loading of="patient" /></div>;
  const { name, patient_id, issuer_of_patient_id, birth_date, sex, site, hold_reason, studies } = patient.data;
  const facts = [`ID ${patient_id}`, issuer_of_patient_id && `issued by ${issuer_of_patient_id}`, dateText(birth_date), ageText(birth_date, null), sex, site.name];
  return (
    <div className={styles.page}>
      <div className={styles.title}>
        <h1>{nameText(name)}</h1>
        <span className={styles.actions}>
          {me.actions.includes("audit.read") && <Button component={Link} to={`/audit?object=${id}`} variant="default" size="xs">Audit</Button>}
          <Button component="a" href={timelineCsvUrl(id)} download variant="default" size="xs" data-testid="timeline-csv">Download CSV</Button>
          <Button variant="default" size="xs" onClick={() => globalThis.print()}>Print</Button>
        </span>
      </div>
      <p className={styles.lead}>{facts.filter((fact) => fact && fact !== UNKNOWN).join(" · ")}</p>
      <HoldNote reason={hold_reason} />
      <div className={styles.card}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th>Study date</th>
              <th>Description</th>
              <th>State</th>
              {LESION_CLASSES.map((lesionClass) => (
                <th key={lesionClass} className={styles.right}>
                  <ClassMark lesionClass={lesionClass} size={12} />
                  {` ${CLASS_NAMES[lesionClass]}`}
                </th>
              ))}
              <th className={styles.right}>Volume</th>
            </tr>
          </thead>
          <tbody>
            {studies.toSorted(byDateDescending).map((study) => <StudyLine key={study.id} study={study} />)}
          </tbody>
        </table>
      </div>
      {patient.data.counting_rule && (
        <p className={styles.lead}>{`${countsClaimOf(studies)} Counted: ${patient.data.counting_rule.replace(/\.$/, "")}.`}</p>
      )}
      <Course patient={id} />
      {me.actions.includes("patient.erase") && <PatientDeletion patient={patient.data} />}
    </div>
  );
}

/** What became of the lesions from visit to visit; nothing until a study was read. */
function Course({ patient }: { readonly patient: string }) {
  const timeline = useQuery(timelineQuery(patient));
  if (timeline.isError && !timeline.data) return <Problem error={timeline.error} onRetry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Loading of="course" />;
  const { visits } = timeline.data;
  if (!visits.some(({ annotation }) => annotation)) return <p className={styles.lead}>No study of this patient has been read yet.</p>;
  return (
    <>
      <CourseCharts visits={visits} />
      {visits.length > 1 && <h2>Changes between visits</h2>}
      {visits.length > 1 && <VisitChangeTable visits={visits} />}
      <VisitUptakes visits={visits} />
      <SameSlices patient={patient} visits={visits} />
    </>
  );
}

function byDateDescending(first: Study, second: Study): number {
  return (second.study_date ?? "").localeCompare(first.study_date ?? "");
}

function StudyLine({ study }: { study: Study }) {
  const volumes = study.lesion_volumes_ml;
  return (
    <tr>
      <td><Link to={`/studies/${study.id}`}>{dateText(study.study_date)}</Link></td>
      <td className={styles.dim}>{study.study_description || UNKNOWN}</td>
      <td><StudyStateBadge study={study} /></td>
      {LESION_CLASSES.map((lesionClass) => (
        <td key={lesionClass} className={styles.right}><LesionCount study={study} lesionClass={lesionClass} /></td>
      ))}
      <td className={styles.right}>{volumes ? `${volumeText(volumes.active + volumes.inactive)} ml` : UNKNOWN}</td>
    </tr>
  );
}
