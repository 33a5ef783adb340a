import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { ClassMark } from "../components/class_mark";
import { ageText, dateText, nameText, UNKNOWN, volumeText } from "../components/formats";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { StudyStateBadge } from "../components/study_state";
import type { TrendValue } from "../components/trend";
import { TrendChart } from "../components/trend_chart";
import { LESION_CLASSES } from "../geometry/labels";
import { ProblemError } from "../server/problem";
import type { Study } from "../server/types";
import { useLiveWorklist } from "../state/live";
import { patientQuery } from "../state/queries";
import { NotFoundPage } from "./not_found_page";
import styles from "./plain_page.module.css";

/** A patient's studies over time, newest first, with what was counted in each. */
export function PatientPage() {
  const { id = "" } = useParams();
  usePageTitle("Patient");
  useLiveWorklist();
  const patient = useQuery(patientQuery(id));
  if (patient.error instanceof ProblemError && patient.error.status === 404) return <NotFoundPage what="This patient" />;
  if (patient.isError) return <div className={styles.page}><Problem error={patient.error} onRetry={() => void patient.refetch()} /></div>;
  if (!patient.data) return <div className={styles.centre}><Loading of="patient" /></div>;
  const { name, patient_id, issuer_of_patient_id, birth_date, sex, site, studies } = patient.data;
  const facts = [`ID ${patient_id}`, issuer_of_patient_id && `issued by ${issuer_of_patient_id}`, dateText(birth_date), ageText(birth_date, null), sex, site.name];
  return (
    <div className={styles.page}>
      <h1>{nameText(name)}</h1>
      <p className={styles.lead}>{facts.filter((fact) => fact && fact !== UNKNOWN).join(" · ")}</p>
      <Trends studies={studies} />
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
                  {lesionClass === "active" ? " AI active" : " AI inactive"}
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
        <p className={styles.lead}>{`AI-predicted, FLAIR only. Counted: ${patient.data.counting_rule.replace(/\.$/, "")}.`}</p>
      )}
    </div>
  );
}

/** Counts and volumes of the studies that have a day and a result; one alone is no course. */
function Trends({ studies }: { readonly studies: readonly Study[] }) {
  const read = studies.filter((study) => study.study_date && study.lesion_counts && study.lesion_volumes_ml);
  if (read.length < 2) return <p className={styles.lead}>The course over time is drawn from two studies on.</p>;
  const rules = new Set(read.map(({ annotation }) => annotation?.counting_rule));
  return (
    <>
      <div className={styles.trends}>
        <TrendChart title="Lesions" values={read.map((study) => valueOf(study, study.lesion_counts))} textOf={(count) => (Number.isInteger(count) ? String(count) : "")} />
        <TrendChart title="Volume (ml)" values={read.map((study) => valueOf(study, study.lesion_volumes_ml))} textOf={volumeText} />
      </div>
      {rules.size > 1 && <p className={styles.lead}>The studies were counted by different rules: their numbers cannot be compared.</p>}
    </>
  );
}

function valueOf(study: Study, amounts: Study["lesion_volumes_ml"]): TrendValue {
  return { study: study.id, date: study.study_date ?? "", active: amounts?.active ?? 0, inactive: amounts?.inactive ?? 0 };
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
      <td><StudyStateBadge state={study.state} progress={study.job?.progress} /></td>
      {LESION_CLASSES.map((lesionClass) => (
        <td key={lesionClass} className={styles.right}>{study.lesion_counts?.[lesionClass] ?? UNKNOWN}</td>
      ))}
      <td className={styles.right}>{volumes ? `${volumeText(volumes.active + volumes.inactive)} ml` : UNKNOWN}</td>
    </tr>
  );
}
