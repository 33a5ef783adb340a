import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { countText, UNKNOWN } from "../components/formats";
import { Loading } from "../components/loading";
import { figureText, MonthChart } from "../components/month_chart";
import { usePageTitle } from "../components/page_title";
import { Notice, Problem } from "../components/problem";
import { scannerText } from "../components/scanner_text";
import type { Course, ScannerCourse } from "../server/monitoring";
import { monitoringQuery } from "../state/monitoring";
import styles from "./monitoring_page.module.css";

/** What studies look like and how much readers change, by scanner and month, for administrators. */
export function MonitoringPage() {
  usePageTitle("Monitoring");
  const monitoring = useQuery(monitoringQuery);
  const scanners = monitoring.data?.scanners ?? [];
  return (
    <div className={styles.page} data-testid="monitoring-page">
      <h1>Monitoring</h1>
      <p className={styles.lead}>
        What new studies look like, how much the network marks in them, and how much readers change, by scanner and month of the last year.
        Lesions are AI-predicted, active ones from the FLAIR only; research use only.
      </p>
      {monitoring.isError && <Problem error={monitoring.error} onRetry={() => void monitoring.refetch()} />}
      {monitoring.isPending && <Loading of="measures" />}
      {monitoring.data && <p className={styles.lead}>{monitoring.data.rule}</p>}
      {monitoring.data && scanners.length === 0 && <p className={styles.dim}>Nothing was measured yet: the network has read no study of the last year.</p>}
      {monitoring.data && scanners.length > 0 && <Alerts scanners={scanners} />}
      {scanners.map((scanner) => <Scanner key={nameOf(scanner)} scanner={scanner} />)}
    </div>
  );
}

function nameOf({ manufacturer, model, site }: ScannerCourse): string {
  return `${scannerText({ manufacturer, scanner_model: model })}, ${site}`;
}

function Alerts({ scanners }: { scanners: readonly ScannerCourse[] }) {
  const alerts = scanners.flatMap((scanner) => scanner.courses.filter((course) => course.is_alert).map((course) => ({ scanner, course })));
  if (alerts.length === 0) return <p className={styles.dim} data-testid="no-alert">No measure is an alert.</p>;
  return (
    <Notice tone="alert" icon="warning" title={countText(alerts.length, "measure has changed", "measures have changed")}>
      <ul data-testid="alerts">
        {alerts.map(({ scanner, course }) => (
          <li key={`${nameOf(scanner)} ${course.name}`}>{`${nameOf(scanner)}: ${course.title}: ${movedText(course)}; ${driftText(course)}`}</li>
        ))}
      </ul>
    </Notice>
  );
}

function Scanner({ scanner }: { scanner: ScannerCourse }) {
  return (
    <>
      <h2>{`${nameOf(scanner)}: ${countText(scanner.studies, "study", "studies")}`}</h2>
      <div className={styles.card} role="region" aria-label={nameOf(scanner)} tabIndex={0}>
        <table className={styles.table} aria-label={`Measures of ${nameOf(scanner)}`}>
          <thead>
            <tr><th className={styles.measure}>Measure</th><th className={styles.chart}>Median by month, with quartiles</th><th className={styles.last}>Last month</th><th className={styles.count}>Studies</th><th>Last 30 days against before</th></tr>
          </thead>
          <tbody>{scanner.courses.map((course) => <CourseLine key={course.name} course={course} />)}</tbody>
        </table>
      </div>
    </>
  );
}

function CourseLine({ course }: { course: Course }) {
  const last = course.months.at(-1);
  return (
    <tr data-testid="course" data-name={course.name} data-alert={course.is_alert}>
      <td>{course.title}</td>
      <td><MonthChart label={course.title} months={course.months} /></td>
      <td className={styles.keep}>
        {last ? `${last.month}: ${figureText(last.median)}` : UNKNOWN}
        {last && <div className={styles.dim}>{`${figureText(last.lower)} to ${figureText(last.upper)}`}</div>}
      </td>
      <td>{last?.studies ?? 0}</td>
      <td>
        {course.is_alert && <Badge size="sm" variant="light" color="orange" mr={8}>changed</Badge>}
        {course.is_alert && <b>{`${movedText(course)}; `}</b>}
        {driftText(course)}
      </td>
    </tr>
  );
}

/** From what to what, in medians. */
function movedText({ current_median: current, reference_median: reference }: Course): string {
  if (current === null || reference === null) return "";
  return `${figureText(reference)} before, ${figureText(current)} now`;
}

function driftText({ distance, p_value: p, current_studies: current, reference_studies: reference }: Course): string {
  const of = `${current} against ${countText(reference, "study", "studies")}`;
  if (distance === null || p === null) return `too few to say: ${of}`;
  return `distance ${distance.toFixed(2)}, ${p < 0.001 ? "p < 0.001" : `p ${p.toFixed(3)}`}, ${of}`;
}
