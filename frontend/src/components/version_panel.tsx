import { Checkbox } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";

import type { Version } from "../server/review";
import type { Me } from "../server/types";
import { useComparison } from "../state/comparison";
import type { VersionComparison } from "../state/version_comparison";
import { BusyButton } from "./busy_button";
import { Fetched } from "./fetched";
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
  readonly versions: UseQueryResult<Version[]>;
  /** The study's version. */
  readonly current: string | null;
  /** The version that is shown when none are compared, or that the draft grew from. */
  readonly base: Pick<Version, "id" | "series"> | null;
  readonly comparison: VersionComparison | null;
  readonly error: Error | null;
  /** Null for those who may not edit. */
  readonly onRestore: ((version: Version) => void) | null;
  onShowSlice(sliceIndex: number): void;
}

/** Every version of the result, the newest first; two of them can be compared on the slices. */
export function VersionPanel(props: VersionPanelProps) {
  const { versions, comparison, error, onShowSlice } = props;
  const { before, after, stop } = useComparison();
  return (
    <>
      <Panel title={versions.data ? `Versions (${versions.data.length})` : "Versions"}>
        <Fetched query={versions} of="versions">{(all) => <VersionList {...props} versions={all} />}</Fetched>
      </Panel>
      {before && after && (
        <Panel title="Compared" aside={<BusyButton variant="default" size="compact-xs" onClick={stop}>Stop comparing</BusyButton>}>
          {error && <Notice tone="alert" icon="warning" title="These versions cannot be compared"><p>{detailOf(error)}</p></Notice>}
          {!error && !comparison && <p className={styles.rule}>Loading both versions …</p>}
          {comparison && <VersionDiffTable comparison={comparison} versions={versions.data ?? NONE} onShowSlice={onShowSlice} />}
        </Panel>
      )}
    </>
  );
}

const NONE: readonly Version[] = [];

type VersionListProps = Pick<VersionPanelProps, "study" | "me" | "current" | "base" | "onRestore"> & { readonly versions: readonly Version[] };

/** Another version is restored voxel by voxel, so only one of the same series can be. */
function VersionList({ study, me, versions, current, base, onRestore }: VersionListProps) {
  const { before, after } = useComparison();
  const newestFirst = versions.toSorted((first, second) => second.version - first.version);
  const rules = [...new Set(versions.map(({ counting_rule }) => counting_rule.replace(/\.$/, "")))];
  const isOfOtherSeries = ({ series }: Version) => base !== null && series !== base.series;
  return (
    <>
      <ul className={styles.list} data-testid="versions">
        {newestFirst.map((version) => (
          <VersionLine
            key={version.id} study={study} me={me} version={version} versions={versions} isCurrent={version.id === current}
            isCompared={version.id === before || version.id === after} isOfOtherSeries={isOfOtherSeries(version)}
            onRestore={version.id === base?.id || isOfOtherSeries(version) ? null : onRestore}
          />
        ))}
      </ul>
      {versions.length === 0 && <p className={styles.rule}>No version yet.</p>}
      {rules.map((rule) => <p key={rule} className={styles.rule}>{`Counted: ${rule}.`}</p>)}
      {versions.length > 1 && <p className={styles.rule}>Tick two versions to compare them on the slices.</p>}
    </>
  );
}

interface VersionLineProps {
  readonly study: string;
  readonly me: Me;
  readonly version: Version;
  readonly versions: readonly Version[];
  readonly isCurrent: boolean;
  readonly isCompared: boolean;
  /** Than the version that is shown. */
  readonly isOfOtherSeries: boolean;
  readonly onRestore: ((version: Version) => void) | null;
}

function VersionLine({ study, me, version, versions, isCurrent, isCompared, isOfOtherSeries, onRestore }: VersionLineProps) {
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
          {isCurrent && <span className={styles.shown}>current</span>}
          {isOfOtherSeries && <span className={styles.shown}>of another series</span>}
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
