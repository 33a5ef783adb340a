import { Button } from "@mantine/core";
import { memo, useEffect, useRef, useState } from "react";

import type { Lesion } from "../server/types";
import { ALL_LESIONS, isFiltered, useLesionTable, type LesionRow, type SortField } from "../state/lesion_table";
import { ClassMark } from "./class_mark";
import { percentText, sliceRangeText, UNKNOWN, volumeText } from "./formats";
import { CHANGE_TEXTS, claimOf } from "./lesion_claim";
import { LesionFilter } from "./lesion_filter";
import styles from "./lesion_list.module.css";
import { Panel } from "./panel";
import { REGION_TEXTS } from "./region_texts";
import { UPTAKE_TEXT } from "./uptake_note";

interface Column {
  readonly title: string;
  readonly className: string | undefined;
  readonly field?: SortField;
  readonly hint?: string;
}

const COLUMNS: readonly Column[] = [
  { title: "#", className: styles.index, field: "number", hint: "Number" },
  { title: "Class", className: styles.class, field: "class" },
  { title: "Volume", className: styles.number, field: "volume" },
  { title: "Axis", className: styles.number, field: "axis", hint: "Longest axis in space; the longest within one slice stands with the lesion that is chosen" },
  { title: "Slices", className: styles.few },
  { title: "Prob.", className: styles.few, field: "probability", hint: "Mean predicted probability of plaque over the lesion" },
  { title: "Review", className: styles.claim, field: "review" },
  { title: "Region", className: styles.region, field: "region", hint: "Region of the brain" },
  { title: "Change", className: styles.change, field: "change" },
];

interface LesionListProps {
  /** In the order of the table, filtered. */
  readonly rows: readonly LesionRow[];
  readonly total: number;
  readonly hasChanges: boolean;
  /** The regions come some seconds after the lesions. */
  readonly areRegionsPending: boolean;
  readonly selected: number | null;
  readonly sliceIndex: number;
  /** The same function from drawing to drawing, since there may be hundreds of rows. */
  onSelect(lesion: Lesion): void;
}

/** Every lesion with its measures and what is known of it; choosing one shows it on its middle slice in all panes. */
export const LesionList = memo(function LesionList({ rows, total, hasChanges, areRegionsPending, selected, sliceIndex, onSelect }: LesionListProps) {
  const count = rows.length === total ? String(total) : `${rows.length} of ${total}`;
  const [isFilterAsked, askFilter] = useState(false);
  const isFilterShown = useLesionTable(({ view }) => isFiltered(view)) || isFilterAsked;
  return (
    <Panel title={`Lesions (${count})`} aside={<FilterToggle isShown={isFilterShown} onShow={askFilter} />} isGrowing>
      {isFilterShown && <LesionFilter hasChanges={hasChanges} />}
      <div className={styles.scroll}>
        <table className={styles.table} aria-label="Lesions" data-changes={hasChanges || undefined}>
          <Header />
          <tbody>
            {rows.map((row) => (
              <Row
                key={row.lesion.id}
                row={row}
                isSelected={row.lesion.number === selected}
                isOnSlice={row.lesion.slice_indices.includes(sliceIndex)}
                isRegionPending={areRegionsPending}
                onSelect={onSelect}
              />
            ))}
          </tbody>
        </table>
        {total === 0 && <p className={styles.none}>No lesion of the minimum size was found.</p>}
        {total > 0 && rows.length === 0 && <p className={styles.none}>No lesion is like this.</p>}
      </div>
    </Panel>
  );
});

/** Closing the filter lets every lesion through again, so that none is left out by what is out of sight. */
function FilterToggle({ isShown, onShow }: { isShown: boolean; onShow: (isShown: boolean) => void }) {
  const { view, look } = useLesionTable();
  const toggle = () => {
    if (isShown) look(ALL_LESIONS);
    onShow(!isShown);
  };
  return (
    <Button variant="default" size="compact-xs" onClick={toggle} aria-expanded={isShown} data-testid="lesion-filter">
      {isFiltered(view) ? "Show all" : isShown ? "Hide filter" : "Filter"}
    </Button>
  );
}

/** It does not change from slice to slice. */
const Header = memo(function Header() {
  return (
    <thead>
      <tr>{COLUMNS.map((column) => <HeaderCell key={column.title} column={column} />)}</tr>
    </thead>
  );
});

function HeaderCell({ column: { title, className, field, hint } }: { column: Column }) {
  const { view, sortBy } = useLesionTable();
  if (!field) return <th scope="col" className={className}>{title}</th>;
  const sort = view.sort !== field ? "none" : view.isDescending ? "descending" : "ascending";
  return (
    <th scope="col" className={className} aria-sort={sort}>
      <button type="button" title={hint} aria-label={title === "#" ? hint : undefined} onClick={() => sortBy(field)}>
        {title}
        <span className={styles.arrow} aria-hidden>{sort === "none" ? "" : sort === "descending" ? "↓" : "↑"}</span>
      </button>
    </th>
  );
}

/** How long it is on the slice that shows most of it. */
function inPlaneText({ in_plane_axis_mm }: Lesion): string {
  return in_plane_axis_mm === null ? "" : `${in_plane_axis_mm.toFixed(1)} mm in plane`;
}

interface RowProps {
  readonly row: LesionRow;
  readonly isSelected: boolean;
  readonly isOnSlice: boolean;
  readonly isRegionPending: boolean;
  onSelect(lesion: Lesion): void;
}

const Row = memo(function Row({ row, isSelected, isOnSlice, isRegionPending, onSelect }: RowProps) {
  const { lesion, change, review, takesUp } = row;
  const element = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isSelected) element.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const claim = claimOf(row);
  return (
    <tr
      ref={element}
      className={styles.row}
      data-testid="lesion-row"
      data-class={lesion.lesion_class}
      data-review={review}
      data-number={lesion.number}
      data-selected={isSelected || undefined}
      data-on-slice={isOnSlice || undefined}
      onClick={() => onSelect(lesion)}
    >
      <td className={styles.index}>
        <button type="button" aria-current={isSelected} aria-label={`Lesion ${lesion.number}, ${claim}${takesUp ? `, ${UPTAKE_TEXT}` : ""}`}>{lesion.number}</button>
      </td>
      <td className={styles.class}><ClassMark lesionClass={lesion.lesion_class} size={13} /></td>
      <td className={styles.number}>
        {volumeText(lesion.volume_ml)}
        <small> ml</small>
      </td>
      <td className={styles.number} title={inPlaneText(lesion)}>
        {lesion.longest_axis_mm.toFixed(1)}
        <small> mm</small>
      </td>
      <td className={styles.few}>{sliceRangeText(lesion.slice_indices)}</td>
      <td className={styles.few}>{typeof lesion.mean_probability === "number" ? percentText(lesion.mean_probability) : UNKNOWN}</td>
      <td className={styles.claim} data-testid="lesion-claim" title={claim}>{review === "predicted" ? "AI-predicted" : claim}</td>
      <td className={styles.region} data-testid="lesion-region">
        {isRegionPending ? "Region pending" : REGION_TEXTS[lesion.region]}
        {isSelected && <span className={styles.inPlane}>{inPlaneText(lesion)}</span>}
        {takesUp && <span className={styles.uptake} data-testid="lesion-uptake">{UPTAKE_TEXT}</span>}
      </td>
      <td className={styles.change} data-change={change ?? undefined}>{change ? CHANGE_TEXTS[change] : ""}</td>
    </tr>
  );
});
