import { Loading } from "../components/loading";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { NodeDialog } from "../components/node_dialog";
import { NodeTable } from "../components/node_table";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import type { RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { nodesQuery } from "../state/outbox";
import styles from "./plain_page.module.css";

/** The peers of a site, for those who administer them. */
export function NodesPage({ me }: { me: Me }) {
  usePageTitle("Nodes");
  const nodes = useQuery(nodesQuery);
  const canManage = me.actions.includes("node.manage");
  const [asked, ask] = useState<RemoteNode | "new" | null>(null);
  return (
    <div className={styles.page} data-testid="nodes-page">
      <div className={styles.title}>
        <h1>Nodes</h1>
        {canManage && <Button onClick={() => ask("new")} data-testid="new-node">New node</Button>}
      </div>
      <p className={styles.lead}>A node is a PACS or an archive: approved versions are sent to it, and studies and their priors come from it.</p>
      {nodes.isError && <Problem error={nodes.error} onRetry={() => void nodes.refetch()} />}
      {nodes.isPending && <Loading of="nodes" />}
      {nodes.data && <NodeTable nodes={nodes.data} me={me} onChange={canManage ? ask : null} />}
      <NodeDialog asked={asked} me={me} onClose={() => ask(null)} />
    </div>
  );
}
