import { UnstyledButton } from "@mantine/core";
import { useId, useState } from "react";
import { Link } from "react-router";

import type { AuditEvent } from "../server/audit";
import type { Me } from "../server/types";
import styles from "./audit.module.css";
import { detailsOf, EVENT_TEXTS, isGone, objectText, pageOf, shortened, type Detail } from "./audit_words";
import { fullTimeText } from "./formats";
import { Icon } from "./icons";

interface AuditTableProps {
  readonly events: readonly AuditEvent[];
  readonly me: Me;
  readonly isFiltered: boolean;
}

const COLUMNS = 6;

export function AuditTable({ events, me, isFiltered }: AuditTableProps) {
  if (events.length === 0) return <p className={styles.none}>{isFiltered ? "No event is like this. Names and ids are compared whole." : "Nothing is on record yet."}</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Events">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">On</th>
            <th scope="col">Hash</th>
            <th scope="col"><span className="visually-hidden">More of it</span></th>
          </tr>
        </thead>
        {events.map((event) => <Lines key={event.sequence} event={event} me={me} />)}
      </table>
    </div>
  );
}

function Lines({ event, me }: { event: AuditEvent; me: Me }) {
  const { sequence, occurred_at, kind, actor_name, hash } = event;
  const [isOpen, open] = useState(false);
  const more = useId();
  return (
    <tbody>
      <tr data-testid="audit-row" data-kind={kind} data-open={isOpen || undefined}>
        <td className={styles.keep}>{fullTimeText(occurred_at)}</td>
        <td className={styles.who}><Link to={`/audit?actor_name=${encodeURIComponent(actor_name)}`} title={`All events of ${actor_name}`}>{actor_name}</Link></td>
        <td>{EVENT_TEXTS[kind]}</td>
        <td><Seen event={event} /></td>
        <td><code title={hash}>{shortened(hash)}</code></td>
        <td className={styles.right}>
          <UnstyledButton
            className={styles.more} aria-expanded={isOpen} aria-controls={isOpen ? more : undefined} aria-label={`Details of event ${sequence}`}
            onClick={() => open(!isOpen)}
          >
            Details
            <Icon name="down" size={12} />
          </UnstyledButton>
        </td>
      </tr>
      {isOpen && <tr id={more} data-testid="audit-details"><td colSpan={COLUMNS}><Details event={event} me={me} /></td></tr>}
    </tbody>
  );
}

/** What the event is about; a link where a page shows it, and to the study of what has no page of its own. */
function Seen({ event }: { event: AuditEvent }) {
  const { object_type: type, object_id: id, details } = event;
  const page = isGone(event) ? null : pageOf(type, id);
  const study = typeof details["study"] === "string" ? pageOf("study", details["study"]) : null;
  return (
    <>
      {page ? <Link to={page}>{objectText(type)}</Link> : objectText(type)}
      {id && <>{" "}<code title={id}>{shortened(id)}</code></>}
      {study && <>{" of "}<Link to={study}>a study</Link></>}
    </>
  );
}

function Details({ event, me }: { event: AuditEvent; me: Me }) {
  const { sequence, kind, object_id, hash, previous_hash } = event;
  return (
    <dl className={styles.details}>
      <Fact term="event" text={`${sequence}, ${kind}`} />
      {object_id && (
        <div>
          <dt>id</dt>
          <dd><code>{object_id}</code>{" "}<Link to={`/audit?object=${encodeURIComponent(object_id)}`}>All its events</Link></dd>
        </div>
      )}
      {detailsOf(event, me.sites).map((detail) => <Fact key={detail.term} {...detail} />)}
      <div><dt>hash</dt><dd><code>{hash}</code></dd></div>
      <div><dt>hash before</dt><dd><code>{previous_hash}</code></dd></div>
    </dl>
  );
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$|^[0-9a-f]{64}$/;

function Fact({ term, text, page = null }: Pick<Detail, "term" | "text"> & { page?: string | null }) {
  const shown = ID.test(text) ? <code>{text}</code> : text;
  return <div><dt>{term}</dt><dd>{page ? <Link to={page}>{shown}</Link> : shown}</dd></div>;
}
