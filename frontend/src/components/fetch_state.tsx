import type { Fetch, FetchState } from "../server/fetches";
import { percentText } from "./formats";
import { sentence } from "./node_words";
import styles from "./outbox.module.css";
import badge from "./study_state.module.css";

interface FetchWords {
  readonly label: string;
  readonly tone: "quiet" | "busy" | "good" | "caution" | "alert";
  readonly meaning: string;
}

const FETCH_STATES: Readonly<Record<FetchState, FetchWords>> = {
  queued: { label: "Queued", tone: "quiet", meaning: "Waits for a worker." },
  fetching: { label: "Fetching", tone: "busy", meaning: "A worker fetches it now." },
  done: { label: "Fetched", tone: "good", meaning: "Everything that came is kept or accounted for." },
  failed: { label: "Failed", tone: "caution", meaning: "It is tried again by itself." },
  dead: { label: "Given up", tone: "alert", meaning: "It is not tried again until somebody does." },
  cancelled: { label: "Cancelled", tone: "quiet", meaning: "It was stopped; what had come is kept." },
};

/** How a fetch stands: its state, how far it is, and what became of its instances. */
export function FetchStateLine({ fetch }: { fetch: Fetch }) {
  const { state, progress, answer, attempts } = fetch;
  const { label, tone, meaning } = FETCH_STATES[state];
  return (
    <div data-testid="fetch-state" data-state={state}>
      <span className={badge.badge} data-tone={tone} title={meaning}>
        <span className={badge.dot} aria-hidden />
        {label}
      </span>
      {state === "fetching" && <span className={styles.beside}>{percentText(progress)}</span>}
      {state === "failed" && <span className={styles.beside}>{`attempt ${attempts}`}</span>}
      {answer && state !== "fetching" && state !== "queued" && <div className={styles.hint}>{sentence(answer)}</div>}
    </div>
  );
}
