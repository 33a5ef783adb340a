import { SegmentedControl } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import type { LesionClass } from "../geometry/labels";
import type { Lesion } from "../server/types";
import { CLASS_CLAIMS, ClassMark } from "./class_mark";
import { percentText, sliceRangeText, UNKNOWN, volumeText } from "./formats";
import styles from "./lesion_list.module.css";
import { Panel } from "./panel";

type Shown = LesionClass | "all";

const CHOICES: { value: Shown; label: string }[] = [
  { value: "all", label: "All" },
  { value: "active", label: "Active" },
  { value: "inactive", label: "Inactive" },
];

interface LesionListProps {
  readonly lesions: readonly Lesion[];
  readonly selected: number | null;
  readonly sliceIndex: number;
  onSelect(lesion: Lesion): void;
}

/** Every lesion with its measures, largest first; choosing one shows it on its middle slice. */
export function LesionList({ lesions, selected, sliceIndex, onSelect }: LesionListProps) {
  const [shown, setShown] = useState<Shown>("all");
  const rows = lesions.filter(({ lesion_class }) => shown === "all" || lesion_class === shown);
  const choice = (
    <SegmentedControl size="xs" data={CHOICES} value={shown} onChange={setShown} aria-label="Class of lesions listed" />
  );
  return (
    <Panel title={`Lesions (${rows.length})`} aside={choice} isGrowing>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th aria-label="Number">#</th>
              <th><span className="visually-hidden">Class</span></th>
              <th>Volume</th>
              <th>Axis</th>
              <th>Slices</th>
              <th title="Mean predicted probability of plaque over the lesion">Prob.</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((lesion) => (
              <LesionRow
                key={lesion.id}
                lesion={lesion}
                isSelected={lesion.number === selected}
                isOnSlice={lesion.slice_indices.includes(sliceIndex)}
                onSelect={() => onSelect(lesion)}
              />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p className={styles.none}>No lesion of the minimum size was found.</p>}
      </div>
    </Panel>
  );
}

interface LesionRowProps {
  readonly lesion: Lesion;
  readonly isSelected: boolean;
  readonly isOnSlice: boolean;
  onSelect(): void;
}

function LesionRow({ lesion, isSelected, isOnSlice, onSelect }: LesionRowProps) {
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isSelected) row.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const claim = CLASS_CLAIMS[lesion.lesion_class];
  return (
    <tr
      ref={row}
      className={styles.row}
      data-testid="lesion-row"
      data-class={lesion.lesion_class}
      data-on-slice={isOnSlice || undefined}
      aria-selected={isSelected}
      onClick={onSelect}
    >
      <td className={styles.index}>
        <button type="button" onClick={onSelect} aria-label={`Lesion ${lesion.number}, ${claim}`}>{lesion.number}</button>
      </td>
      <td title={claim}>
        <ClassMark lesionClass={lesion.lesion_class} size={13} />
      </td>
      <td>
        {volumeText(lesion.volume_ml)}
        <small> ml</small>
      </td>
      <td>
        {lesion.longest_axis_mm.toFixed(1)}
        <small> mm</small>
      </td>
      <td>{sliceRangeText(lesion.slice_indices)}</td>
      <td>{typeof lesion.mean_probability === "number" ? percentText(lesion.mean_probability) : UNKNOWN}</td>
    </tr>
  );
}
