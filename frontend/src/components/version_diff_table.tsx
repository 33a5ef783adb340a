import { DIFFERENCE, type Difference, type LesionDiff } from "../geometry/version_diff";
import type { Version } from "../server/review";
import { middleSliceOf } from "../state/anchors";
import type { PlacedLesion, VersionComparison } from "../state/version_comparison";
import { ClassMark } from "./class_mark";
import { UNKNOWN, volumeText } from "./formats";
import styles from "./version_panel.module.css";

const KINDS: Readonly<Record<LesionDiff<PlacedLesion>["kind"], string>> = {
  added: "Added", removed: "Removed", reclassified: "Class changed", reshaped: "Redrawn",
};

/** As the slices draw them. */
const LEGEND: Readonly<Record<Difference, string>> = { kept: "as before", added: "added", removed: "removed", reclassified: "class changed" };

interface VersionDiffTableProps {
  readonly comparison: VersionComparison;
  readonly versions: readonly Version[];
  onShowSlice(sliceIndex: number): void;
}

/** What the marks on the slices mean, and the lesions that changed; choosing one goes to its slice. */
export function VersionDiffTable({ comparison: { before, after, diff, lesions }, versions, onShowSlice }: VersionDiffTableProps) {
  const number = (id: string) => versions.find((version) => version.id === id)?.version ?? UNKNOWN;
  return (
    <div data-testid="version-diff">
      <p className={styles.compared}>{`Version ${number(before)} → version ${number(after)}`}</p>
      <ul className={styles.legend}>
        {(Object.keys(DIFFERENCE) as Difference[]).map((kind) => (
          <li key={kind} data-difference={kind}>
            <span className={styles.swatch} aria-hidden />
            <span data-testid={`diff-${kind}`}>{`${diff.voxelCounts[kind]} voxels ${LEGEND[kind]}`}</span>
          </li>
        ))}
      </ul>
      {lesions.length === 0 ? (
        <p className={styles.rule}>No lesion changed.</p>
      ) : (
        <table className={styles.diffs} aria-label="Lesions that changed">
          <thead>
            <tr><th scope="col">Change</th><th scope="col">Before</th><th scope="col">After</th></tr>
          </thead>
          <tbody>{lesions.map((lesion) => <DiffLine key={`${lesion.before?.id ?? ""}/${lesion.after?.id ?? ""}`} diff={lesion} onShowSlice={onShowSlice} />)}</tbody>
        </table>
      )}
    </div>
  );
}

function DiffLine({ diff: { kind, before, after }, onShowSlice }: { diff: LesionDiff<PlacedLesion>; onShowSlice: (sliceIndex: number) => void }) {
  const lesion = after ?? before;
  return (
    <tr data-testid="diff-row" data-kind={kind}>
      <td><button type="button" className={styles.jump} onClick={() => lesion && onShowSlice(middleSliceOf(lesion))}>{KINDS[kind]}</button></td>
      <td>{before ? <LesionText lesion={before} /> : UNKNOWN}</td>
      <td>{after ? <LesionText lesion={after} /> : UNKNOWN}</td>
    </tr>
  );
}

function LesionText({ lesion }: { lesion: PlacedLesion }) {
  return (
    <span className={styles.lesion}>
      <ClassMark lesionClass={lesion.lesion_class} size={12} />
      <span className="visually-hidden">{lesion.lesion_class}</span>
      {`#${lesion.number}, ${volumeText(lesion.volume_ml)} ml`}
    </span>
  );
}
