import { Menu } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";

import type { RemoteNode } from "../server/nodes";
import { requestTransfer, resendTransfer, type Transfer } from "../server/transfers";
import type { Me } from "../server/types";
import { canResend, nodesQuery, refreshTransfers, transfersQuery } from "../state/outbox";
import { BusyButton } from "./busy_button";
import { Icon } from "./icons";
import { sentence } from "./node_words";
import { detailOf } from "./problem";
import { TransferBadge } from "./transfer_badge";
import styles from "./version_transfers.module.css";

interface VersionTransfersProps {
  readonly study: string;
  readonly annotation: string;
  readonly version: number;
  readonly me: Me;
}

/** More transfers than a study has; the oldest beyond them are on the page of transfers only. */
const MOST_LISTED = 200;

/** Where an approved version was sent, and how it is sent to another node or once more. */
export function VersionTransfers({ study, annotation, version, me }: VersionTransfersProps) {
  const found = useQuery(transfersQuery({ study, page_size: MOST_LISTED }));
  const transfers = found.data?.results.filter((transfer) => transfer.annotation === annotation) ?? [];
  const canSend = me.actions.includes("transfer.send") && me.actions.includes("node.read");
  return (
    <div className={styles.sending} data-testid="version-transfers">
      {transfers.length > 0 && (
        <ul className={styles.list} aria-label={`Transfers of version ${version}`}>
          {transfers.map(({ id, node_name, state, answer }) => (
            <li key={id} title={sentence(answer) || undefined} data-state={state}>
              <span className={styles.node}>{node_name}</span>
              <TransferBadge state={state} />
            </li>
          ))}
        </ul>
      )}
      {found.isError && (
        <p className={styles.error} role="alert">
          {`Where it was sent could not be fetched: ${detailOf(found.error)}`}
          <BusyButton variant="default" size="compact-xs" isBusy={found.isFetching} onClick={() => void found.refetch()}>Try again</BusyButton>
        </p>
      )}
      {found.data && canSend && <SendMenu annotation={annotation} version={version} transfers={transfers} canManage={me.actions.includes("node.manage")} />}
    </div>
  );
}

interface SendMenuProps {
  readonly annotation: string;
  readonly version: number;
  readonly transfers: readonly Transfer[];
  readonly canManage: boolean;
}

function SendMenu({ annotation, version, transfers, canManage }: SendMenuProps) {
  const nodes = useQuery(nodesQuery);
  const sending = useMutation({
    mutationFn: ({ node, earlier }: Choice) => (earlier ? resendTransfer(earlier.id) : requestTransfer(annotation, node.id)),
    onSettled: refreshTransfers,
  });
  const active = nodes.data?.filter(({ is_active }) => is_active) ?? [];
  const choices = active.map((node) => ({ node, earlier: transfers.find((transfer) => transfer.node === node.id) ?? null }));
  return (
    <>
      <Menu shadow="md" width={240} position="bottom-start">
        <Menu.Target>
          <BusyButton
            variant="default" size="compact-xs" isBusy={sending.isPending} rightSection={<Icon name="down" size={12} />}
            aria-label={`Send to …, version ${version}`} data-testid="send-menu"
          >
            Send to …
          </BusyButton>
        </Menu.Target>
        <Menu.Dropdown>
          {choices.map((choice) => (
            <Menu.Item key={choice.node.id} disabled={choice.earlier !== null && !canResend(choice.earlier)} onClick={() => sending.mutate(choice)}>
              {choiceText(choice)}
            </Menu.Item>
          ))}
          {nodes.isError && <Menu.Label className={styles.error} role="alert">{detailOf(nodes.error)}</Menu.Label>}
          {nodes.data && active.length === 0 && <Menu.Label>{canManage ? "No active node. Add one under Nodes." : "No active node. An administrator adds one."}</Menu.Label>}
        </Menu.Dropdown>
      </Menu>
      {sending.isError && <p className={styles.error} role="alert">{detailOf(sending.error)}</p>}
    </>
  );
}

interface Choice {
  readonly node: RemoteNode;
  /** The transfer of this version to this node, when there is one. */
  readonly earlier: Transfer | null;
}

function choiceText({ node, earlier }: Choice): string {
  if (!earlier) return node.name;
  return canResend(earlier) ? `${node.name}, once more` : `${node.name}, on its way`;
}
