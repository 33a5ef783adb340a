import { LESION_CLASSES } from "../geometry/labels";
import type { Region, Visit } from "../server/types";
import { REGIONS } from "../state/lesion_table";
import { volumeText } from "./formats";
import { REGION_TEXTS } from "./region_texts";
import styles from "./course.module.css";
import type { TrendValue } from "./trend";
import { TrendChart } from "./trend_chart";
import { CLASS_LINES, type TrendLine, type TrendShape } from "./trend_mark";

const SHAPES: Readonly<Record<Region, readonly [TrendShape, string, string | undefined]>> = {
  periventricular: ["disc", "var(--pv-region-1)", undefined],
  juxtacortical: ["square", "var(--pv-region-2)", "6 3"],
  infratentorial: ["triangle", "var(--pv-region-3)", "2 3"],
  deep_white_matter: ["diamond", "var(--pv-region-4)", "9 3 2 3"],
  not_determined: ["ring", "var(--mantine-color-dimmed)", "1 4"],
};

/** Counts and volumes of the visits that have a day and a result, by class and by region; one alone is no course. */
export function CourseCharts({ visits }: { readonly visits: readonly Visit[] }) {
  const read = visits.filter((visit) => visit.study_date && visit.lesion_counts && visit.lesion_volumes_ml);
  if (read.length < 2) return <p className={styles.lead}>The course over time is drawn from two read studies on.</p>;
  const rules = new Set(read.map(({ counting_rule }) => counting_rule));
  const located = read.filter(({ regions }) => regions.length > 0);
  const lines = located.length > 1 ? regionLines(located) : [];
  return (
    <>
      <div className={styles.charts} data-testid="course-charts">
        <TrendChart title="Lesions" lines={CLASS_LINES} values={read.map((visit) => valueOf(visit, LESION_CLASSES.map((kind) => visit.lesion_counts?.[kind] ?? 0)))} textOf={wholeText} />
        <TrendChart title="Volume (ml)" lines={CLASS_LINES} values={read.map((visit) => valueOf(visit, LESION_CLASSES.map((kind) => visit.lesion_volumes_ml?.[kind] ?? 0)))} textOf={volumeText} />
        {lines.length > 0 && (
          <>
            <TrendChart title="Lesions by region" lines={lines} values={located.map((visit) => valueOf(visit, amountsOf(visit, lines, "count")))} textOf={wholeText} />
            <TrendChart title="Volume by region (ml)" lines={lines} values={located.map((visit) => valueOf(visit, amountsOf(visit, lines, "volume_ml")))} textOf={volumeText} />
          </>
        )}
      </div>
      {located.length < read.length && (
        <p className={styles.lead}>{`Regions are known of ${located.length} of the ${read.length} studies; the others are left out of the charts by region.`}</p>
      )}
      {rules.size > 1 && <p className={styles.lead}>The studies were counted by different rules: their numbers cannot be compared.</p>}
    </>
  );
}

function wholeText(count: number): string {
  return Number.isInteger(count) ? String(count) : "";
}

function valueOf(visit: Visit, amounts: readonly number[]): TrendValue {
  return { study: visit.study, date: visit.study_date ?? "", amounts };
}

interface RegionLine extends TrendLine {
  readonly region: Region;
}

/** The regions in which any of the visits has a lesion. */
function regionLines(visits: readonly Visit[]): RegionLine[] {
  const isFound = (region: Region) => visits.some(({ regions }) => regions.some((one) => one.region === region && one.count > 0));
  return REGIONS.filter(isFound).map((region) => {
    const [shape, color, dash] = SHAPES[region];
    return { region, name: REGION_TEXTS[region], shape, color, dash };
  });
}

function amountsOf(visit: Visit, lines: readonly RegionLine[], amount: "count" | "volume_ml"): number[] {
  return lines.map(({ region }) => visit.regions.find((one) => one.region === region)?.[amount] ?? 0);
}
