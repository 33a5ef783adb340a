import { Checkbox } from "@mantine/core";

import type { Version } from "../server/review";
import type { Me } from "../server/types";
import { useComparison } from "../state/comparison";
import type { VersionComparison } from "../state/version_comparison";
import { BusyButton } from "./busy_button";
import { fullTimeText, timeText } from "./formats";
import { Panel } from "./panel";
import { detailOf, Notice } from "./problem";
import { VersionDiffTable } from "./version_diff_table";
import { VersionDocuments } from "./version_documents";
import { authorText, VERSION_STATES } from "./version_names";
import styles from "./version_panel.module.css";
import { VersionTransfers } from "./version_transfers";

interface VersionPanelProps {
  readonly study: string;
  readonly me: Me;
  readonly versions: readonly Version[];
  /** The version that is shown when none are compared. */
  readonly shown: string | null;
  readonly comparison: VersionComparison | null;
  readonly error: Error | null;
  /** Null for those who may not edit. */
  readonly onRestore: ((version: Version) => void) | null;
  onShowSlice(sliceIndex: number): void;
}

/** Every version of the result, the newest first; two of them can be compared on the slices. */
export function VersionPanel({ study, me, versions, shown, comparison, error, onRestore, onShowSlice }: VersionPanelProps) {
  const { before, after, stop } = useComparison();
  const newestFirst = versions.toSorted((first, second) => second.version - first.version);
  const rules = [...new Set(versions.map(({ counting_rule }) => counting_rule.replace(/\.$/, "")))];
  return (
    <>
      <Panel title={`Versions (${versions.length})`}>
        <ul className={styles.list} data-testid="versions">
          {newestFirst.map((version) => (
            <VersionLine
              key={version.id} study={study} me={me} version={version} versions={versions} isShown={version.id === shown}
              isCompared={version.id === before || version.id === after} onRestore={version.id === shown ? null : onRestore}
            />
          ))}
        </ul>
        {versions.length === 0 && <p className={styles.rule}>No version yet.</p>}
        {rules.map((rule) => <p key={rule} className={styles.rule}>{`Counted: ${rule}.`}</p>)}
        {versions.length > 1 && <p className={styles.rule}>Tick two versions to compare them on the slices.</p>}
      </Panel>
      {before && after && (
        <Panel title="Compared" aside={<BusyButton variant="default" size="compact-xs" onClick={stop}>Stop comparing</BusyButton>}>
          {error && <Notice tone="alert" icon="warning" title="These versions cannot be compared"><p>{detailOf(error)}</p></Notice>}
          {!error && !comparison && <p className={styles.rule}>Loading both versions …</p>}
          {comparison && <VersionDiffTable comparison={comparison} versions={versions} onShowSlice={onShowSlice} />}
        </Panel>
      )}
    </>
  );
}

interface VersionLineProps {
  readonly study: string;
  readonly me: Me;
  readonly version: Version;
  readonly versions: readonly Version[];
  readonly isShown: boolean;
  readonly isCompared: boolean;
  readonly onRestore: ((version: Version) => void) | null;
}

function VersionLine({ study, me, version, versions, isShown, isCompared, onRestore }: VersionLineProps) {
  const { active, inactive } = version.lesion_counts;
  const { state } = version;
  return (
    <li className={styles.version} data-testid="version" data-version={version.version}>
      <Checkbox
        size="xs" checked={isCompared} onChange={() => tick(version.id, versions)} aria-label={`Compare version ${version.version}`}
      />
      <div className={styles.text}>
        <div className={styles.name}>
          <strong>{`Version ${version.version}`}</strong>
          <span data-state={state}>{VERSION_STATES[state]}</span>
          {isShown && <span className={styles.shown}>current</span>}
        </div>
        <div className={styles.fact} title={fullTimeText(version.created)}>{`${authorText(version)}, ${timeText(version.created)}`}</div>
        <div className={styles.fact}>{`${active} active, ${inactive} inactive`}</div>
        <VersionDocuments annotation={version.id} version={version.version} />
        {state === "approved" && me.actions.includes("transfer.read") && (
          <VersionTransfers study={study} annotation={version.id} version={version.version} me={me} />
        )}
      </div>
      {onRestore && (
        <BusyButton variant="default" size="compact-xs" onClick={() => onRestore(version)} aria-label={`Restore version ${version.version}`} data-testid="restore">Restore</BusyButton>
      )}
    </li>
  );
}

/** Ticks or unticks one version; the two that are ticked are compared in the order of their numbers. */
function tick(id: string, versions: readonly Version[]): void {
  const { before, after, compare, stop, choose } = useComparison.getState();
  const ticked = [before, after].filter((version): version is string => version !== null);
  const next = ticked.includes(id) ? ticked.filter((version) => version !== id) : [...ticked.slice(-1), id];
  const [first, second] = versions.filter((version) => next.includes(version.id)).toSorted((one, other) => one.version - other.version);
  if (first && second) compare(first.id, second.id);
  else if (first) choose(first.id);
  else stop();
}
