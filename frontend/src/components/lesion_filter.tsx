import { NativeSelect } from "@mantine/core";
import { memo } from "react";

import { LESION_CLASSES } from "../geometry/labels";
import { CHANGES, REGIONS, REVIEW_MARKS, useLesionTable, type ProbabilityRange, type TableView } from "../state/lesion_table";
import { CLASS_NAMES } from "./class_mark";
import { CHANGE_TEXTS, REVIEW_TEXTS } from "./lesion_claim";
import styles from "./lesion_list.module.css";
import { REGION_TEXTS } from "./region_texts";

/** 3 mm is the least size of a plaque in the criteria for MS. Source: Thompson et al., Lancet Neurology 17, 2018. */
const SIZES_MM = [3, 5, 10] as const;

interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A filter that lets everything through is named for what it looks at. */
const ALL = (label: string): Choice => ({ value: "all", label });
const CLASS_CHOICES = [ALL("Class"), ...LESION_CLASSES.map((value) => ({ value, label: CLASS_NAMES[value] }))];
const SIZE_CHOICES = [{ value: "0", label: "Size" }, ...SIZES_MM.map((size) => ({ value: String(size), label: `≥ ${size} mm` }))];
const REGION_CHOICES = [ALL("Region"), ...REGIONS.map((value) => ({ value, label: REGION_TEXTS[value] }))];
const CHANGE_CHOICES = [ALL("Change"), ...CHANGES.filter((change) => change !== "resolved").map((value) => ({ value, label: CHANGE_TEXTS[value] }))];
const REVIEW_CHOICES = [ALL("Review"), ...REVIEW_MARKS.map((value) => ({ value, label: REVIEW_TEXTS[value] }))];

const PROBABILITY_TEXTS: Readonly<Record<ProbabilityRange, string>> = {
  below_70: "Below 70 %", below_80: "Below 80 %", from_70: "70 % and more", from_80: "80 % and more",
};
const PROBABILITY_CHOICES = [ALL("Prob."), ...Object.entries(PROBABILITY_TEXTS).map(([value, label]) => ({ value, label }))];

/** @param hasChanges false while there is no prior to compare with */
export const LesionFilter = memo(function LesionFilter({ hasChanges }: { hasChanges: boolean }) {
  const { view, look } = useLesionTable();
  return (
    <div className={styles.filter} role="group" aria-label="Lesions listed">
      <Filter label="Class" data={CLASS_CHOICES} value={view.lesionClass} onChoose={(value) => look({ lesionClass: value as TableView["lesionClass"] })} />
      <Filter label="Longest axis" data={SIZE_CHOICES} value={String(view.leastAxisMm)} onChoose={(value) => look({ leastAxisMm: Number(value) })} />
      <Filter label="Region of the brain" data={REGION_CHOICES} value={view.region} onChoose={(value) => look({ region: value as TableView["region"] })} />
      {hasChanges && (
        <Filter label="Change since the prior" data={CHANGE_CHOICES} value={view.change} onChoose={(value) => look({ change: value as TableView["change"] })} />
      )}
      <Filter label="Mean probability" data={PROBABILITY_CHOICES} value={view.probability} onChoose={(value) => look({ probability: value as TableView["probability"] })} />
      <Filter label="Review" data={REVIEW_CHOICES} value={view.review} onChoose={(value) => look({ review: value as TableView["review"] })} />
    </div>
  );
});

function Filter({ label, data, value, onChoose }: { label: string; data: Choice[]; value: string; onChoose: (value: string) => void }) {
  return <NativeSelect size="xs" aria-label={label} data={data} value={value} onChange={(event) => onChoose(event.currentTarget.value)} />;
}
