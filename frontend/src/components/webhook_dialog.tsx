import { Modal } from "@mantine/core";
import { useState } from "react";

import type { Me } from "../server/types";
import type { ShownOnce, Webhook } from "../server/webhooks";
import { ToldOnce } from "./told_once";
import { WebhookForm } from "./webhook_form";

interface WebhookDialogProps {
  /** The webhook to change, or a new one; null shows nothing. */
  readonly asked: Webhook | "new" | null;
  readonly me: Me;
  onClose(): void;
}

/** A secret that comes when the dialog was closed before opens it again: it is told this once. */
export function WebhookDialog({ asked, me, onClose }: WebhookDialogProps) {
  const [shown, show] = useState<ShownOnce | null>(null);
  const webhook = shown ?? (asked === "new" ? null : asked);
  const close = () => {
    show(null);
    onClose();
  };
  return (
    <Modal
      opened={asked !== null || shown !== null} onClose={close} title={webhook ? `Webhook ${webhook.name}` : "New webhook"} size={640}
      closeOnClickOutside={false} closeOnEscape={!shown} transitionProps={{ duration: 0 }}
    >
      {shown && <ToldOnce title="The secret, shown this once" text={SECRET} secret={shown.secret} testId="secret" onClose={close} />}
      {!shown && asked && <WebhookForm webhook={asked === "new" ? null : asked} me={me} onSecret={show} onClose={close} />}
    </Modal>
  );
}

const SECRET = "Give it to the receiver, which checks with it that a message is from here. It cannot be shown again, only replaced.";
