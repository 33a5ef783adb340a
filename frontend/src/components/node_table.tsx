import { useMutation } from "@tanstack/react-query";

import { echoNode, type RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { showNode } from "../state/outbox";
import { BusyButton } from "./busy_button";
import { fullTimeText, timeText, UNKNOWN } from "./formats";
import { addressText, documentsText, echoText, KIND_TEXTS, priorsText, sentence } from "./node_words";
import styles from "./outbox.module.css";
import { detailOf } from "./problem";

interface NodeTableProps {
  readonly nodes: readonly RemoteNode[];
  readonly me: Me;
  /** Null for those who may not administer nodes. */
  readonly onChange: ((node: RemoteNode) => void) | null;
}

export function NodeTable({ nodes, me, onChange }: NodeTableProps) {
  if (nodes.length === 0) return <p className={styles.none}>{`No node is set up.${onChange ? " Add the first one to send approved versions to it." : ""}`}</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Nodes">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Address</th>
            <th scope="col">AE title</th>
            <th scope="col">Active</th>
            <th scope="col">Sends approved versions</th>
            <th scope="col">Fetches priors</th>
            <th scope="col">Last echo</th>
            {onChange && <th scope="col"><span className="visually-hidden">Actions</span></th>}
          </tr>
        </thead>
        <tbody>{nodes.map((node) => <Line key={node.id} node={node} me={me} onChange={onChange} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ node, me, onChange }: { node: RemoteNode } & Pick<NodeTableProps, "me" | "onChange">) {
  const { site, name, kind, ae_title, is_active, sends_approved, sends_approved_since, documents, deidentifies } = node;
  const siteName = me.sites.length > 1 ? me.sites.find(({ id }) => id === site)?.name : null;
  return (
    <tr data-testid="node-row" data-active={is_active}>
      <td className={styles.person}>
        <span className={styles.name}>{name}</span>
        <div className={styles.hint}>{[KIND_TEXTS[kind], siteName].filter(Boolean).join(" · ")}</div>
        {deidentifies && <div className={styles.hint} data-testid="deidentified-node">De-identified on arrival</div>}
      </td>
      <td className={styles.address}>{addressText(node)}</td>
      <td className={styles.keep}>{ae_title || UNKNOWN}</td>
      <td>{is_active ? "Yes" : "No"}</td>
      <td>
        {sends_approved ? `By itself since ${timeText(sends_approved_since)}` : "On request"}
        <div className={styles.hint}>{documentsText(documents)}</div>
      </td>
      <td data-testid="priors-rule">{priorsText(node)}</td>
      <td className={styles.wide} aria-live="polite"><LastEcho node={node} /></td>
      {onChange && <td className={styles.right}><Actions node={node} onChange={onChange} /></td>}
    </tr>
  );
}

function LastEcho({ node: { last_echo: echo } }: { node: RemoteNode }) {
  return (
    <div data-testid="last-echo" data-problem={echo?.problem ?? undefined}>
      <span className={styles.echo} data-answered={echo?.is_answered}>{echoText(echo)}</span>
      {echo && <span className={styles.beside} title={fullTimeText(echo.at)}>{timeText(echo.at)}</span>}
      {echo && <div className={styles.hint}>{sentence(echo.detail)}</div>}
    </div>
  );
}

function Actions({ node, onChange }: { node: RemoteNode; onChange: (node: RemoteNode) => void }) {
  const asking = useMutation({ mutationFn: () => echoNode(node.id), onSuccess: showNode });
  return (
    <>
      <div className={styles.actions}>
        <BusyButton variant="default" size="compact-sm" isBusy={asking.isPending} onClick={() => asking.mutate()} aria-label={`Echo ${node.name}`} data-testid="echo">Echo</BusyButton>
        <BusyButton variant="default" size="compact-sm" onClick={() => onChange(node)} aria-label={`Edit ${node.name}`}>Edit</BusyButton>
      </div>
      {asking.isError && <p className={styles.error} role="alert">{detailOf(asking.error)}</p>}
    </>
  );
}
