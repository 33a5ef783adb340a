import { useQuery } from "@tanstack/react-query";

import type { SameSlices as Found, Visit } from "../server/types";
import { sameSlicesQuery } from "../state/queries";
import { ClassMark, CLASS_NAMES } from "./class_mark";
import styles from "./course.module.css";
import { dateText } from "./formats";
import { LESION_CLASSES } from "../geometry/labels";
import { Loading } from "./loading";
import { Problem } from "./problem";

type SameSlice = Found["slices"][number];


/** Key slices of the newest visit, and the same planes of the head in the visits that are registered to it. */
export function SameSlices({ patient, visits }: { readonly patient: string; readonly visits: readonly Visit[] }) {
  const found = useQuery(sameSlicesQuery(patient, visits));
  if (found.isError) return <Problem error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Loading of="slices" />;
  const { slices } = found.data;
  if (slices.length === 0) return null;
  const hasVisits = slices.some(({ pictures }) => pictures.length > 1);
  // A row for each plane with its visits; the planes of a single visit stand beside one another.
  const rows: readonly (readonly SameSlice[])[] = hasVisits ? slices.map((slice) => [slice]) : [slices];
  return (
    <section className={styles.section} aria-labelledby="same-slices" data-testid="same-slices">
      <h2 id="same-slices">{hasVisits ? "The same slices over time" : "Key slices"}</h2>
      <p className={styles.lead}>
        {hasVisits && "Cut to the plane of the newest study by rigid registration, the oldest on the left. "}
        {"Not for measurement. "}
        <span className={styles.kinds}>
          {LESION_CLASSES.map((kind) => <span key={kind} className={styles.kind}><ClassMark lesionClass={kind} size={12} />{CLASS_NAMES[kind]}</span>)}
        </span>
      </p>
      {rows.map((row) => (
        <div key={row[0]?.slice_index} className={styles.pictures}>
          {row.flatMap(({ slice_index, aspect, pictures }) => pictures.map((picture) => (
            <figure key={`${slice_index} ${picture.study}`}>
              <img src={picture.png} style={{ aspectRatio: aspect }} alt={`Plane of slice ${slice_index + 1} in the study of ${dateText(picture.study_date)}, lesions outlined`} />
              <figcaption>{`${dateText(picture.study_date)} · slice ${slice_index + 1}${hasVisits ? " of the newest" : ""}`}</figcaption>
            </figure>
          )))}
        </div>
      ))}
      <p className={styles.lead}>{found.data.notice}</p>
    </section>
  );
}
