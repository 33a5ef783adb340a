import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { cancelFetch, requestFetch, retryFetch, type Fetch, type RemoteStudies, type RemoteStudy } from "../server/fetches";
import type { Me } from "../server/types";
import { fetchesQuery, fetchOf, isOpen, refreshFetches } from "../state/inbox";
import { BusyButton } from "./busy_button";
import { FetchStateLine } from "./fetch_state";
import { countText, dateText, nameText, UNKNOWN } from "./formats";
import styles from "./outbox.module.css";
import { detailOf } from "./problem";

interface RemoteStudyTableProps {
  readonly node: string;
  readonly found: RemoteStudies;
  readonly me: Me;
}

/** What a node has, and how much of it is here. */
export function RemoteStudyTable({ node, found, me }: RemoteStudyTableProps) {
  const fetches = useQuery(fetchesQuery(me.actions.includes("fetch.read") ? node : "")).data ?? [];
  if (found.studies.length === 0) return <p className={styles.none} role="status" data-testid="pacs-nothing">The node has no study that matches.</p>;
  return (
    <>
      <p className={styles.none} role="status" data-testid="pacs-count">
        {countText(found.studies.length, "study", "studies")}
        {found.has_more && "; the node has more than these, narrow the search"}
      </p>
      <div className={styles.card}>
        <table className={styles.table} aria-label="Studies at the node">
          <thead>
            <tr>
              <th scope="col">Patient</th>
              <th scope="col">Study date</th>
              <th scope="col">Description</th>
              <th scope="col">Modality</th>
              <th scope="col">Instances</th>
              <th scope="col">Here</th>
              <th scope="col"><span className="visually-hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            {found.studies.map((study) => (
              <Line key={study.study_instance_uid} node={node} study={study} fetch={fetchOf(fetches, study.study_instance_uid)} canFetch={me.actions.includes("fetch.request")} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface LineProps {
  readonly node: string;
  readonly study: RemoteStudy;
  readonly fetch: Fetch | undefined;
  readonly canFetch: boolean;
}

function Line({ node, study, fetch, canFetch }: LineProps) {
  const kept = fetch?.study ?? study.study;
  return (
    <tr data-testid="remote-study">
      <td className={styles.person}>
        <span className={styles.name}>{nameText(study.patient_name) || UNKNOWN}</span>
        <div className={styles.hint}>{study.patient_id}</div>
      </td>
      <td className={styles.keep}>{dateText(study.study_date)}</td>
      <td>
        {study.study_description || UNKNOWN}
        <div className={styles.hint}>{study.accession_number}</div>
      </td>
      <td>{study.modalities.join(", ") || UNKNOWN}</td>
      <td>{study.instance_count ?? UNKNOWN}</td>
      <td className={styles.here}>
        {kept ? <Link to={`/studies/${kept}`}>Open the study</Link> : !fetch && <span className={styles.hint}>Not here</span>}
        {fetch && <FetchStateLine fetch={fetch} />}
      </td>
      <td className={styles.right}>{canFetch && <FetchAction node={node} uid={study.study_instance_uid} fetch={fetch} isHere={Boolean(kept)} />}</td>
    </tr>
  );
}

interface FetchActionProps {
  readonly node: string;
  readonly uid: string;
  readonly fetch: Fetch | undefined;
  readonly isHere: boolean;
}

function FetchAction({ node, uid, fetch, isHere }: FetchActionProps) {
  const isUnderway = fetch !== undefined && isOpen(fetch);
  const ask = () => {
    if (!fetch) return requestFetch(node, uid);
    return isUnderway ? cancelFetch(fetch.id) : retryFetch(fetch.id);
  };
  const asking = useMutation({ mutationFn: ask, onSettled: refreshFetches });
  const label = isUnderway ? "Cancel" : fetch || isHere ? "Fetch again" : "Fetch";
  return (
    <>
      <BusyButton variant="default" size="compact-sm" isBusy={asking.isPending} onClick={() => asking.mutate()}>{label}</BusyButton>
      {asking.isError && <p className={styles.error} role="alert">{detailOf(asking.error)}</p>}
    </>
  );
}
