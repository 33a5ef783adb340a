import { Slider, Switch } from "@mantine/core";
import { memo } from "react";

import { LESION_CLASSES, type LesionClass } from "../geometry/labels";
import { SIZE_TEXTS, SIZES, type BySize } from "../geometry/lesion_size";
import type { ByClass } from "../server/types";
import { readNow, useReading } from "../state/reading";
import { ClassMark } from "./class_mark";
import { percentText, UNKNOWN, volumeText } from "./formats";
import { classClaimOf } from "./lesion_claim";
import styles from "./lesion_counts.module.css";

interface LesionCountsProps {
  readonly slice: ByClass | null;
  readonly study: ByClass;
  readonly volumesMl: ByClass;
  /** Of the patient's newest study that has a result. */
  readonly patient: ByClass | null;
  readonly countingRule: string;
  /** How many of the study's lesions a reader has spoken about. */
  readonly saidByReaders: ByClass;
  /** How many are of each size; null in a version from before sizes were measured. */
  readonly sizes: BySize | null;
}

/** Legend, switches and counts in one table: what is marked, how it is drawn, and how many there are. */
export function LesionCounts({ slice, study, volumesMl, patient, countingRule, saidByReaders, sizes }: LesionCountsProps) {
  return (
    <div className={styles.counts}>
      {LESION_CLASSES.map((lesionClass) => (
        <div key={lesionClass} className={styles.group} data-class={lesionClass}>
          <ClassSwitch lesionClass={lesionClass} claim={classClaimOf(lesionClass, study[lesionClass], saidByReaders[lesionClass])} />
          <dl className={styles.numbers}>
            <Number label="Slice" value={slice ? String(slice[lesionClass]) : UNKNOWN} />
            <Number label="Study" value={String(study[lesionClass])} testId={`count-${lesionClass}`} isStrong />
            <Number label="Patient" value={patient ? String(patient[lesionClass]) : UNKNOWN} />
            <Number label="Volume" value={volumeText(volumesMl[lesionClass])} unit="ml" isNamedByUnit />
          </dl>
        </div>
      ))}
      <p className={styles.rule}>
        {sizes && (
          <span data-testid="lesion-sizes" title="By the longest axis within one slice, between voxel centres">
            {`In plane: ${SIZES.map((size) => `${sizes[size]} ${SIZE_TEXTS[size]}`).join(", ")}. `}
          </span>
        )}
        <span data-testid="counting-rule">{`Counted: ${countingRule.replace(/\.$/, "")}. “Patient” is the newest result of this patient.`}</span>
      </p>
    </div>
  );
}

const ClassSwitch = memo(function ClassSwitch({ lesionClass, claim }: { lesionClass: LesionClass; claim: string }) {
  const isShown = useReading(({ overlay }) => overlay.isShown && overlay.shownClasses[lesionClass]);
  const opacity = useReading(({ overlay }) => overlay.opacity[lesionClass]);
  const { toggleClass, setOpacity } = readNow();
  return (
    <div className={styles.switch}>
      <ClassMark lesionClass={lesionClass} size={16} />
      <span className={styles.claim}>{claim}</span>
      <Slider
        className={styles.opacity}
        size="xs"
        min={0.1}
        max={1}
        step={0.05}
        value={opacity}
        onChange={(value) => setOpacity(lesionClass, value)}
        label={percentText}
        disabled={!isShown}
        thumbLabel={`Opacity of ${lesionClass} lesions`}
      />
      <Switch
        size="xs"
        checked={isShown}
        onChange={() => toggleClass(lesionClass)}
        aria-label={`Show ${lesionClass} lesions`}
      />
    </div>
  );
});

interface NumberProps {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly testId?: string;
  readonly isStrong?: boolean;
  /** The label is only read aloud. */
  readonly isNamedByUnit?: boolean;
}

function Number({ label, value, unit, testId, isStrong, isNamedByUnit }: NumberProps) {
  return (
    <div className={styles.number} data-strong={isStrong || undefined}>
      <dt className={isNamedByUnit ? "visually-hidden" : undefined}>{label}</dt>
      <dd data-testid={testId}>
        {value}
        {unit && <span className={styles.unit}>{` ${unit}`}</span>}
      </dd>
    </div>
  );
}
