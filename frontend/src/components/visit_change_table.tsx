import { Link } from "react-router";

import { CHANGE_KINDS, type ChangeKind } from "../server/longitudinal";
import type { Visit } from "../server/types";
import { CHANGE_NAMES } from "./change_legend";
import { ChangeMark } from "./change_mark";
import styles from "./course.module.css";
import { dateText, UNKNOWN, volumeText } from "./formats";
import { differingOf } from "./protocol_texts";

/** How many lesions changed from each prior to the next visit, with their volumes then and now. */
export function VisitChangeTable({ visits }: { readonly visits: readonly Visit[] }) {
  const compared = visits.filter((visit) => visit.changes).toReversed();
  if (compared.length === 0) return <p className={styles.lead}>No two studies of this patient are registered to each other: open the newer one beside its prior to compare them.</p>;
  const rules = [...new Set(compared.flatMap(({ changes }) => changes?.rule ?? []))];
  const brighteningRules = [...new Set(compared.flatMap(({ changes }) => changes?.brightening_rule ?? []))];
  return (
    <>
      <div className={styles.card}>
        <table className={styles.table} data-testid="visit-changes">
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Protocol</th>
              {CHANGE_KINDS.map((kind) => <th key={kind} scope="col"><span className={styles.kind}><ChangeMark kind={kind} />{CHANGE_NAMES[kind]}</span></th>)}
              <th scope="col"><span className={styles.kind}><ChangeMark kind="brightened" />{CHANGE_NAMES.brightened}</span></th>
            </tr>
          </thead>
          <tbody>{compared.map((visit) => <Row key={visit.study} visit={visit} prior={visits.find(({ study }) => study === visit.changes?.prior)} />)}</tbody>
        </table>
      </div>
      {rules.map((rule) => <p key={rule} className={styles.lead}>{`Compared: ${rule}.`}</p>)}
      {brighteningRules.map((rule) => <p key={rule} className={styles.lead}>{`Brighter without growing, which may be activity and is for a reader to confirm: ${rule}.`}</p>)}
      {compared.some(({ changes }) => differingOf(changes?.protocol ?? null).length > 0) && <p className={styles.lead}>{`Protocol: ${compared[0]?.changes?.protocol.rule}.`}</p>}
    </>
  );
}

function Row({ visit, prior }: { readonly visit: Visit; readonly prior: Visit | undefined }) {
  return (
    <tr>
      <td>{prior ? <Link to={`/studies/${prior.study}`}>{dateText(prior.study_date)}</Link> : UNKNOWN}</td>
      <td><Link to={`/studies/${visit.study}`}>{dateText(visit.study_date)}</Link></td>
      <td className={styles.protocol} data-testid="visit-protocol"><ProtocolOfVisit changes={visit.changes} /></td>
      {CHANGE_KINDS.map((kind) => <Cell key={kind} changes={visit.changes} kind={kind} />)}
      <td data-testid="visit-brightened"><strong>{visit.changes?.brightened ?? UNKNOWN}</strong></td>
    </tr>
  );
}

function ProtocolOfVisit({ changes }: Pick<Visit, "changes">) {
  const differing = differingOf(changes?.protocol ?? null);
  if (differing.length === 0) return <small>no difference known</small>;
  return (
    <>
      <strong>{changes?.protocol.caution}</strong>
      {differing.map(({ check, title, found, prior }) => <small key={check}>{` ${title}: ${found}, then ${prior}.`}</small>)}
    </>
  );
}

function Cell({ changes, kind }: { readonly changes: Visit["changes"]; readonly kind: ChangeKind }) {
  if (!changes) return <td>{UNKNOWN}</td>;
  const [then, now] = [changes.prior_volumes_ml[kind], changes.volumes_ml[kind]].map(volumeText);
  const volumes = { new: now, resolved: then }[kind as "new" | "resolved"] ?? `${then} → ${now}`;
  return (
    <td>
      <strong>{changes.counts[kind]}</strong>
      {changes.counts[kind] > 0 && <small>{` ${volumes} ml`}</small>}
    </td>
  );
}
