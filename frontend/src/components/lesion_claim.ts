import type { LesionClass } from "../geometry/labels";
import type { Evidence } from "../server/review";
import type { LesionChange, LesionRow, ReviewMark } from "../state/lesion_table";
import { CLASS_CLAIMS, CLASS_NAMES } from "./class_mark";

export const EVIDENCE_TEXTS: Readonly<Record<Evidence, string>> = {
  post_gadolinium: "post-gadolinium",
  prior: "prior study",
  reader_opinion: "reader’s opinion",
};

export const REVIEW_TEXTS: Readonly<Record<ReviewMark, string>> = {
  predicted: "Not reviewed",
  confirmed: "Confirmed",
  reclassified: "Class changed",
  added: "Added by a reader",
};

export const CHANGE_TEXTS: Readonly<Record<LesionChange, string>> = {
  new: "New", enlarging: "Enlarging", stable: "Stable", shrinking: "Shrinking", resolved: "Resolved",
};

const DEEDS: Readonly<Record<Exclude<ReviewMark, "predicted">, string>> = {
  confirmed: "confirmed by a reader", reclassified: "changed by a reader", added: "added by a reader",
};

/** What is known of a lesion's class: a prediction, or what a reader said and on what evidence. */
export function claimOf({ lesion, review, evidence }: Pick<LesionRow, "lesion" | "review" | "evidence">): string {
  if (review === "predicted") return CLASS_CLAIMS[lesion.lesion_class];
  const said = `${CLASS_NAMES[lesion.lesion_class]}, ${DEEDS[review]}`;
  return evidence ? `${said}: ${EVIDENCE_TEXTS[evidence]}` : said;
}

/** What the lesions of a class are that are counted together, some of which readers may have spoken about. */
export function classClaimOf(lesionClass: LesionClass, count: number, byReaders: number): string {
  if (byReaders === 0) return CLASS_CLAIMS[lesionClass];
  const predicted = count - byReaders;
  const name = CLASS_NAMES[lesionClass];
  return predicted > 0 ? `${name}: ${predicted} AI-predicted, ${byReaders} by readers` : `${name}, said by readers`;
}
