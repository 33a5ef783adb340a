import { useMutation } from "@tanstack/react-query";

import { chooseFlair, requestInference } from "../server/endpoints";
import type { Series, SeriesChoice, StudyDetail } from "../server/types";
import { queryClient } from "../state/queries";
import { BusyButton } from "./busy_button";
import { countText } from "./formats";
import { Icon } from "./icons";
import { Panel } from "./panel";
import { detailOf } from "./problem";
import styles from "./series_panel.module.css";
import { SeriesThumbnail } from "./series_thumbnail";

interface SeriesPanelProps {
  readonly study: StudyDetail;
  readonly shownSeries: string | null;
  readonly canOverride: boolean;
  onShow(series: string): void;
}

type Candidate = SeriesChoice["candidates"][number];

/** Every series, which one is read as the FLAIR and why, and the way to choose another. */
export function SeriesPanel({ study, shownSeries, canOverride, onShow }: SeriesPanelProps) {
  const choice = study.series_choice;
  const overriding = useMutation({
    mutationFn: async (series: string) => {
      await chooseFlair(study.id, series);
      await requestInference(study.id);
    },
    onSuccess: (_, series) => onShow(series),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["study", study.id] }),
  });
  return (
    <Panel title={countText(study.series.length, "series", "series")}>
      {choice?.reason && <p className={styles.reason}>{choice.overridden_by ? `Chosen by ${choice.overridden_by}. The automatic choice was: ${choice.reason}` : choice.reason}</p>}
      {overriding.isError && <p className={styles.error} role="alert">{detailOf(overriding.error)}</p>}
      <ul className={styles.list}>
        {study.series.map((series) => (
          <SeriesRow
            key={series.id}
            study={study}
            series={series}
            candidate={choice?.candidates.find((candidate) => candidate.series === series.id)}
            isFlair={series.id === study.flair_series}
            isShown={series.id === shownSeries}
            onShow={() => onShow(series.id)}
            onChoose={canOverride ? () => overriding.mutate(series.id) : null}
            isChoosing={overriding.isPending && overriding.variables === series.id}
          />
        ))}
      </ul>
    </Panel>
  );
}

interface SeriesRowProps {
  readonly study: StudyDetail;
  readonly series: Series;
  readonly candidate: Candidate | undefined;
  readonly isFlair: boolean;
  readonly isShown: boolean;
  readonly isChoosing: boolean;
  onShow(): void;
  readonly onChoose: (() => void) | null;
}

function SeriesRow({ study, series, candidate, isFlair, isShown, isChoosing, onShow, onChoose }: SeriesRowProps) {
  const problems = series.completeness?.problems ?? [];
  return (
    <li className={styles.row} data-shown={isShown || undefined} data-testid="series-row">
      <button type="button" className={styles.show} onClick={onShow} aria-pressed={isShown}>
        <SeriesThumbnail study={study} series={series} />
        <span className={styles.text}>
          <span className={styles.description}>
            {series.series_description || `Series ${series.series_number ?? ""}`}
            {isFlair && <span className={styles.flair}>FLAIR</span>}
          </span>
          {factsOf(series).map((line) => <span key={line} className={styles.facts}>{line}</span>)}
        </span>
      </button>
      {problems.length > 0 && (
        <ul className={styles.problems} data-testid="completeness-problems">
          {problems.map((problem) => (
            <li key={problem}><Icon name="warning" size={13} />{problem}</li>
          ))}
        </ul>
      )}
      <div className={styles.below}>
        {candidate && <Reasons candidate={candidate} />}
        {!isFlair && onChoose && (
          <BusyButton variant="transparent" size="compact-xs" className={styles.choose} isBusy={isChoosing} onClick={onChoose}>Use as FLAIR</BusyButton>
        )}
      </div>
    </li>
  );
}

function Reasons({ candidate }: { candidate: Candidate }) {
  const score = Number.isInteger(candidate.score) ? String(candidate.score) : candidate.score.toFixed(2);
  return (
    <details className={styles.reasons}>
      <summary>{candidate.is_excluded ? "Why not" : `Score ${score}`}</summary>
      <ul>
        {candidate.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </details>
  );
}

function factsOf(series: Series): string[] {
  const [slices, rows, columns] = series.spacing_mm ?? [];
  const grid = series.rows && series.columns ? `${series.columns} × ${series.rows}` : "";
  const spacing = slices && rows && columns ? `${columns.toFixed(2)} × ${rows.toFixed(2)} × ${slices.toFixed(1)} mm` : "";
  const kind = [series.modality, countText(series.slice_count ?? series.instance_count ?? 0, series.slice_count ? "slice" : "instance"), series.source === "nifti" ? "NIfTI" : ""];
  return [kind.filter(Boolean).join(" · "), grid, spacing].filter(Boolean);
}
