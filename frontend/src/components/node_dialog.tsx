import { Modal } from "@mantine/core";

import type { RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { NodeForm } from "./node_form";

interface NodeDialogProps {
  /** The node to change, or a new one; null shows nothing. */
  readonly asked: RemoteNode | "new" | null;
  readonly me: Me;
  onClose(): void;
}

export function NodeDialog({ asked, me, onClose }: NodeDialogProps) {
  const node = asked === "new" ? null : asked;
  return (
    <Modal
      opened={asked !== null} onClose={onClose} title={node ? `Node ${node.name}` : "New node"} size={640}
      closeOnClickOutside={false} transitionProps={{ duration: 0 }}
    >
      {asked && <NodeForm node={node} me={me} onClose={onClose} />}
    </Modal>
  );
}
