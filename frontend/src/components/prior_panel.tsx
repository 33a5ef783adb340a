import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Fetch } from "../server/fetches";
import type { Me, StudyDetail } from "../server/types";
import { priorFetchesQuery } from "../state/inbox";
import { dateText, percentText } from "./formats";
import { sentence } from "./node_words";
import { Panel } from "./panel";
import styles from "./study_sidebar.module.css";

/** The patient's earlier studies, and those that a node's rule is fetching. */
export function PriorPanel({ study, me }: { study: StudyDetail; me: Me }) {
  const fetches = useQuery(priorFetchesQuery(me.actions.includes("fetch.read") ? study.id : "")).data ?? [];
  const coming = fetches.filter(({ state }) => state !== "done");
  return (
    <Panel title="Prior studies">
      {study.priors.length + coming.length === 0 ? (
        <p className={styles.none}>No earlier study of this patient.</p>
      ) : (
        <ul className={styles.priors} data-testid="priors">
          {study.priors.map((prior) => (
            <li key={prior.id}><Link to={`/studies/${prior.id}`}>{dateText(prior.study_date)}</Link></li>
          ))}
          {coming.map((fetch) => <Coming key={fetch.id} fetch={fetch} />)}
        </ul>
      )}
      <p className={styles.all}><Link to={`/patients/${study.patient.id}`}>All studies of this patient</Link></p>
    </Panel>
  );
}

function Coming({ fetch }: { fetch: Fetch }) {
  return (
    <li data-testid="coming-prior" data-state={fetch.state}>
      {`${dateText(fetch.study_date)}: `}
      <span className={styles.coming}>{comingText(fetch)}</span>
      {(fetch.state === "failed" || fetch.state === "dead") && <div className={styles.coming}>{sentence(fetch.answer)}</div>}
    </li>
  );
}

/** How a prior that is not here stands. */
export function comingText({ state, progress, node_name }: Pick<Fetch, "state" | "progress" | "node_name">): string {
  switch (state) {
    case "queued": return `prior waits to be fetched from ${node_name}`;
    case "fetching": return `prior being fetched from ${node_name}, ${percentText(progress)}`;
    case "failed": return `prior not fetched yet, ${node_name} is asked again`;
    case "dead": return `prior not fetched, ${node_name} was given up`;
    case "cancelled": return `prior not fetched from ${node_name}, it was stopped`;
    case "done": return `prior fetched from ${node_name}`;
  }
}
