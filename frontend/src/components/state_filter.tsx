import type { StudyState, Summary } from "../server/types";
import styles from "./state_filter.module.css";
import { STATE_TEXTS, STUDY_STATES } from "./study_state";

interface StateFilterProps {
  readonly summary: Summary | undefined;
  readonly chosen: StudyState | null;
  onChoose(state: StudyState | null): void;
}

/** One button for each state that studies are in, with their number, where there is a choice; the chosen one stays even when it is empty. */
export function StateFilter({ summary, chosen, onChoose }: StateFilterProps) {
  const countOf = (state: StudyState) => summary?.studies_by_state[state] ?? 0;
  const shown = STUDY_STATES.filter((state) => countOf(state) > 0 || state === chosen);
  if (shown.length < 2 && chosen === null) return null;
  return (
    <fieldset className={styles.filter}>
      <legend className="visually-hidden">State</legend>
      <FilterButton label="All" count={summary?.studies} isChosen={chosen === null} onClick={() => onChoose(null)} />
      {shown.map((state) => (
        <FilterButton
          key={state}
          label={STATE_TEXTS[state].label}
          count={countOf(state)}
          isChosen={chosen === state}
          onClick={() => onChoose(chosen === state ? null : state)}
        />
      ))}
    </fieldset>
  );
}

interface FilterButtonProps {
  readonly label: string;
  readonly count: number | undefined;
  readonly isChosen: boolean;
  onClick(): void;
}

function FilterButton({ label, count, isChosen, onClick }: FilterButtonProps) {
  return (
    <button type="button" aria-pressed={isChosen} onClick={onClick}>
      {label}
      {count !== undefined && <span className="number">{count}</span>}
    </button>
  );
}
