import { Loading } from "../components/loading";
import { NativeSelect, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { chosenOf, useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { TransferTable } from "../components/transfer_table";
import { TRANSFER_STATES } from "../components/transfer_words";
import type { RemoteNode } from "../server/nodes";
import type { TransferState } from "../server/transfers";
import type { Me } from "../server/types";
import { nodesQuery, transfersQuery } from "../state/outbox";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;

const STATES: { value: TransferState | ""; label: string }[] = [
  { value: "", label: "All" },
  ...(Object.keys(TRANSFER_STATES) as TransferState[]).map((value) => ({ value, label: TRANSFER_STATES[value].label })),
];

/** The outbox: what was sent to which node, what waits, and what was given up. */
export function TransfersPage({ me }: { me: Me }) {
  usePageTitle("Transfers");
  const filter = usePageFilter();
  const { page, read, change } = filter;
  const state = chosenOf(STATES, read("state"));
  const canReadNodes = me.actions.includes("node.read");
  const nodes = useQuery({ ...nodesQuery, enabled: canReadNodes });
  const isKnown = nodes.data ? nodes.data.some(({ id }) => id === read("node")) : canReadNodes;
  const node = isKnown ? read("node") : "";
  const transfers = useQuery(transfersQuery({ page, page_size: PAGE_SIZE, ...(state ? { state: [state] } : {}), ...(node ? { node } : {}) }));
  useExistingPage(filter, transfers.error);
  return (
    <div className={styles.page} data-testid="transfers-page">
      <h1>Transfers</h1>
      <p className={styles.lead}>One transfer is one approved version on its way to one node, tried again until the node has it.</p>
      <div className={styles.filters}>
        <SegmentedControl
          size="xs" w="fit-content" data={STATES} value={state} aria-label="State of the transfers listed"
          onChange={(value) => change({ state: value })}
        />
        {canReadNodes && <NodeChoice nodes={nodes.data ?? []} node={node} onChoose={(value) => change({ node: value })} />}
      </div>
      {transfers.isError && <Problem error={transfers.error} onRetry={() => void transfers.refetch()} />}
      {transfers.isPending && <Loading of="transfers" />}
      {transfers.data && <TransferTable transfers={transfers.data.results} asOf={transfers.dataUpdatedAt} me={me} isFiltered={Boolean(state || node)} />}
      <PageSteps count={transfers.data?.count ?? 0} pageSize={PAGE_SIZE} page={page} onChange={(to) => change({ page: String(to) })} />
    </div>
  );
}

function NodeChoice({ nodes, node, onChoose }: { nodes: readonly RemoteNode[]; node: string; onChoose: (node: string) => void }) {
  return (
    <NativeSelect
      size="xs" aria-label="Node of the transfers listed" value={node} onChange={(event) => onChoose(event.currentTarget.value)}
      data={[{ value: "", label: "All nodes" }, ...nodes.map(({ id, name }) => ({ value: id, label: name }))]}
    />
  );
}
