import { useQuery } from "@tanstack/react-query";

import { CohortFilter } from "../components/cohort_filter";
import { countText, timeText } from "../components/formats";
import { Loading } from "../components/loading";
import { figureText } from "../components/month_chart";
import { usePageFilter } from "../components/page_filter";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { ProvenDownload } from "../components/proven_download";
import { scannerText } from "../components/scanner_text";
import { SpreadChart } from "../components/spread_chart";
import { cohortCsvUrl, type Cohort, type CohortPart, type CohortQuery, type Spread } from "../server/cohort";
import type { Me } from "../server/types";
import { cohortQuery } from "../state/cohort";
import styles from "./plain_page.module.css";

/** The approved studies in numbers, by site and by scanner, and as a list for research: for administrators. */
export function CohortPage({ me }: { me: Me }) {
  usePageTitle("Cohort");
  const [query, setQuery] = useCohortQuery(me);
  const cohort = useQuery(cohortQuery(query));
  const whole = useQuery(cohortQuery({}));
  const found = cohort.data;
  return (
    <div className={styles.page} data-testid="cohort-page">
      <div className={styles.title}>
        <h1>Cohort</h1>
        {found && found.studies > 0 && (
          <ProvenDownload href={cohortCsvUrl(query)} filename="cohort.csv" what="The list, with pseudonyms for patients," label="Download the list (CSV) …" />
        )}
      </div>
      <p className={styles.lead}>
        Studies whose newest version is approved. The list has pseudonyms for patients and years for dates; each download is on record.
      </p>
      <CohortFilter me={me} scanners={scannersOf(whole.data, query)} query={query} onChange={setQuery} />
      {cohort.isError && <Problem error={cohort.error} onRetry={() => void cohort.refetch()} />}
      {cohort.isPending && <Loading of="studies" />}
      {found?.studies === 0 && <p className={styles.dim} data-testid="cohort-empty">No approved study is among these.</p>}
      {found && found.studies > 0 && <Found cohort={found} />}
    </div>
  );
}

/** In the address a scanner is one word: either of its names may be empty. */
function useCohortQuery(me: Me): [CohortQuery, (query: CohortQuery) => void] {
  const { read, change } = usePageFilter();
  const [site, scanner, since, until] = [read("site"), read("scanner"), read("since"), read("until")];
  const [manufacturer = "", scanner_model = ""] = scanner.split("\n");
  const query = {
    ...(me.sites.some(({ id }) => id === site) ? { site } : {}),
    ...(scanner ? { manufacturer, scanner_model } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
  return [query, (next) => change({ site: next.site ?? "", scanner: scannerOf(next), since: next.since ?? "", until: next.until ?? "" })];
}

type Scanner = Pick<CohortPart, "manufacturer" | "scanner_model">;

function scannerOf({ manufacturer, scanner_model }: Partial<Scanner>): string {
  return manufacturer === undefined || scanner_model === undefined ? "" : `${manufacturer}\n${scanner_model}`;
}

/** Each once, with the one that is asked for, also while the others are not known. */
function scannersOf(cohort: Cohort | undefined, { manufacturer, scanner_model }: CohortQuery): Scanner[] {
  const asked = manufacturer !== undefined && scanner_model !== undefined ? [{ manufacturer, scanner_model }] : [];
  return [...new Map([...(cohort?.parts ?? []), ...asked].map((part) => [scannerOf(part), part])).values()];
}

function Found({ cohort }: { cohort: Cohort }) {
  return (
    <>
      <h2 data-testid="cohort-size">{`${countText(cohort.studies, "study", "studies")} of ${countText(cohort.patients, "patient")}`}</h2>
      <p className={styles.lead}>{[claimOf(cohort), importedText(cohort), `As of ${timeText(cohort.as_of)}.`].filter(Boolean).join(" ")}</p>
      {cohort.rules.length > 1 && <p className={styles.lead}>Counted by different rules, which do not compare:</p>}
      {cohort.rules.map((rule) => <p key={rule} className={styles.lead}>{`Counted: ${rule}.`}</p>)}
      <div className={styles.card}>
        <table className={styles.table} aria-label="Spread of the measures">
          <thead><tr><th>Measure, a study</th><th>Studies by value, median dashed</th><th className={styles.right}>Median</th><th className={styles.right}>Quartiles</th><th className={styles.right}>Studies</th></tr></thead>
          <tbody>{cohort.spreads.map((spread) => <SpreadLine key={spread.name} spread={spread} />)}</tbody>
        </table>
      </div>
      <h2>By site and scanner</h2>
      <div className={styles.card} role="region" aria-label="Measures by site and scanner" tabIndex={0}>
        <table className={styles.table} aria-label="By site and scanner">
          <thead>
            <tr>
              <th>Site</th><th>Scanner</th><th className={styles.right}>Studies</th><th className={styles.right}>Patients</th>
              {cohort.spreads.map(({ name, title }) => <th key={name} className={styles.right} title="Median with quartiles">{title}</th>)}
            </tr>
          </thead>
          <tbody>{cohort.parts.map((part) => <PartLine key={`${part.site} ${scannerText(part)}`} part={part} measures={cohort.spreads} />)}</tbody>
        </table>
      </div>
    </>
  );
}

function importedText({ imported, studies }: Cohort): string {
  if (imported === 0) return "";
  const which = imported === studies ? "All of them" : `${imported} of them`;
  return `${which} came with labels from elsewhere: what their classes rest on is not known, and labels without classes count as inactive.`;
}

/** What "active" rests on in these versions. */
function claimOf({ active_count: active, unconfirmed_active_count: unconfirmed }: Cohort): string {
  if (active === 0) return "No lesion in them is active.";
  const of = `Of ${countText(active, "active lesion")}`;
  if (unconfirmed === 0) return `${of} each was confirmed by a reader, with evidence.`;
  return `${of}, ${unconfirmed} ${unconfirmed === 1 ? "has" : "have"} no evidence that a reader named: AI-predicted active (FLAIR only), or a reader’s class alone.`;
}

function SpreadLine({ spread }: { spread: Spread }) {
  return (
    <tr data-testid="cohort-measure" data-name={spread.name}>
      <td>{spread.title}</td>
      <td><SpreadChart spread={spread} /></td>
      <td className={styles.right}>{figureText(spread.median)}</td>
      <td className={styles.right}>{`${figureText(spread.lower)} to ${figureText(spread.upper)}`}</td>
      <td className={styles.right}>{spread.studies}</td>
    </tr>
  );
}

function PartLine({ part, measures }: { part: CohortPart; measures: readonly Spread[] }) {
  const own = new Map(part.spreads.map((spread) => [spread.name, spread]));
  return (
    <tr data-testid="cohort-part">
      <td>{part.site}</td>
      <td>{scannerText(part)}</td>
      <td className={styles.right}>{part.studies}</td>
      <td className={styles.right}>{part.patients}</td>
      {measures.map(({ name }) => {
        const spread = own.get(name);
        return (
          <td key={name} className={`${styles.right} ${styles.keep}`}>
            {spread ? `${figureText(spread.median)} (${figureText(spread.lower)}–${figureText(spread.upper)})` : "–"}
          </td>
        );
      })}
    </tr>
  );
}
