import type { LesionClass } from "../geometry/labels";
import type { Study } from "../server/types";
import { CLASS_CLAIMS, CLASS_NAMES } from "./class_mark";
import { UNKNOWN } from "./formats";
import styles from "./lesion_count.module.css";

type Counted = Pick<Study, "annotation" | "lesion_counts">;

/** How many lesions of a class the newest version of a study has; what a network says and no reader stands behind is marked AI. */
export function LesionCount({ study, lesionClass }: { readonly study: Counted; readonly lesionClass: LesionClass }) {
  const count = study.lesion_counts?.[lesionClass];
  if (count === undefined) return <>{UNKNOWN}</>;
  return (
    <span title={countClaimOf(study, lesionClass)} data-testid={`listed-${lesionClass}`}>
      {!isRead(study) && <span className={styles.tag}>AI </span>}
      {count}
    </span>
  );
}

function isRead({ annotation }: Counted): boolean {
  return Boolean(annotation?.author);
}

export function countClaimOf({ annotation }: Counted, lesionClass: LesionClass): string {
  if (!annotation?.author) return CLASS_CLAIMS[lesionClass];
  return `${CLASS_NAMES[lesionClass]}, version ${annotation.version} by ${annotation.author}, ${annotation.state}`;
}

/** What the counts of some studies are, taken together. */
export function countsClaimOf(studies: readonly Counted[]): string {
  return studies.some(isRead) ? "What no reader spoke about is AI-predicted, FLAIR only." : "Counts are AI-predicted, FLAIR only.";
}
