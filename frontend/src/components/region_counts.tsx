import { Fragment } from "react";
import { LESION_CLASSES } from "../geometry/labels";
import type { Regions } from "../server/types";
import { REGIONS } from "../state/lesion_table";
import { CLASS_NAMES } from "./class_mark";
import styles from "./region_counts.module.css";
import { REGION_TEXTS } from "./region_texts";

const STATE_TEXTS: Readonly<Record<Regions["state"], string>> = {
  pending: "Regions of the brain: being determined",
  determined: "",
  not_determined: "Regions of the brain: not determined",
};

/** How many lesions of the version lie where, with the rule, and what that says of dissemination in space. */
export function RegionCounts({ regions, version }: { regions: Regions; version: number }) {
  if (regions.state !== "determined") {
    const why = regions.note ? ` (${regions.note.replace(/\.$/, "")})` : "";
    return <p className={styles.note} data-testid="regions-note">{`${STATE_TEXTS[regions.state]}${why}.`}</p>;
  }
  return (
    <details className={styles.regions}>
      <summary data-testid="regions-summary" title={`Of version ${version}; ${regions.rule}`}><Summary regions={regions} /></summary>
      <table className={styles.table} aria-label={`Lesions by region, version ${version}`} title={regions.rule}>
        <thead>
          <tr>
            <th scope="col">Region</th>
            {LESION_CLASSES.map((lesionClass) => <th key={lesionClass} scope="col">{CLASS_NAMES[lesionClass]}</th>)}
          </tr>
        </thead>
        <tbody>
          {REGIONS.filter((region) => region !== "not_determined" || countOf(regions, region) > 0).map((region) => (
            <tr key={region} data-testid={`region-${region}`}>
              <th scope="row">{REGION_TEXTS[region]}</th>
              {LESION_CLASSES.map((lesionClass) => <td key={lesionClass}>{regions.counts[region][lesionClass]}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles.note} data-testid="dissemination">{regions.dissemination}</p>
    </details>
  );
}

/** A line breaks between regions, and never between a region and its number. */
function Summary({ regions }: { regions: Regions }) {
  const found = REGIONS.filter((region) => countOf(regions, region) > 0);
  if (found.length === 0) return "No lesion in any region";
  return found.map((region, at) => (
    <Fragment key={region}>
      {at > 0 && " · "}
      <span className={styles.count}>{`${REGION_TEXTS[region]} ${countOf(regions, region)}`}</span>
    </Fragment>
  ));
}

function countOf(regions: Regions, region: keyof Regions["counts"]): number {
  return LESION_CLASSES.reduce((sum, lesionClass) => sum + regions.counts[region][lesionClass], 0);
}
