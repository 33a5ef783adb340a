import { Link } from "react-router";

import { resendTransfer, type Transfer } from "../server/transfers";
import type { Me } from "../server/types";
import { canResend, refreshTransfers } from "../state/outbox";
import { fullTimeText, timeText } from "./formats";
import { JobAction } from "./job_card";
import { documentsText, sentence } from "./node_words";
import styles from "./outbox.module.css";
import { TransferBadge } from "./transfer_badge";
import { nextAttemptText } from "./transfer_words";

interface TransferTableProps {
  readonly transfers: readonly Transfer[];
  /** When the server told them, ms since 1970. */
  readonly asOf: number;
  readonly me: Me;
  readonly isFiltered: boolean;
}

export function TransferTable({ transfers, asOf, me, isFiltered }: TransferTableProps) {
  if (transfers.length === 0) return <p className={styles.none}>{isFiltered ? "No transfer is in this state, to this node." : NOTHING_YET}</p>;
  const canSend = me.actions.includes("transfer.send");
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Transfers">
        <thead>
          <tr>
            <th scope="col">Asked for</th>
            <th scope="col">Study</th>
            <th scope="col">Node and documents</th>
            <th scope="col">State and last answer</th>
            <th scope="col">Attempts</th>
            <th scope="col">Next attempt</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{transfers.map((transfer) => <Line key={transfer.id} transfer={transfer} asOf={asOf} canSend={canSend} />)}</tbody>
      </table>
    </div>
  );
}

const NOTHING_YET = "Nothing was sent yet. An approved version is sent from the Versions of its study, or by itself where a node is set up so.";

function Line({ transfer, asOf, canSend }: { transfer: Transfer; asOf: number; canSend: boolean }) {
  const { id, study, version, node_name, documents, state, attempts, answer, requested_by, created, sent_at, next_attempt_at } = transfer;
  return (
    <tr data-testid="transfer-row" data-state={state}>
      <td className={styles.keep} title={fullTimeText(created)}>
        {timeText(created)}
        <div className={styles.hint}>{requested_by ?? "by the node’s rule"}</div>
      </td>
      <td className={styles.keep}>
        <Link to={`/studies/${study}`}>{`Version ${version}`}</Link>
      </td>
      <td>
        {node_name}
        <div className={styles.hint}>{documentsText(documents)}</div>
      </td>
      <td className={styles.wide}>
        <TransferBadge state={state} />
        {state === "sent" && <span className={styles.beside} title={fullTimeText(sent_at)}>{timeText(sent_at)}</span>}
        {answer && <div className={styles.hint}>{sentence(answer)}</div>}
      </td>
      <td>{attempts}</td>
      <td className={styles.keep} title={next_attempt_at ? fullTimeText(next_attempt_at) : undefined}>{nextAttemptText(transfer, asOf)}</td>
      <td className={styles.right}>
        {canSend && canResend(transfer) && (
          <JobAction label="Resend" study={study} action={() => resendTransfer(id).finally(refreshTransfers)} />
        )}
      </td>
    </tr>
  );
}
