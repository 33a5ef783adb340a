import { Code, Modal } from "@mantine/core";
import { useState } from "react";

import type { NewToken } from "../server/tokens";
import type { Me } from "../server/types";
import { fullTimeText } from "./formats";
import styles from "./node_form.module.css";
import { ToldOnce } from "./told_once";
import { TokenForm } from "./token_form";

interface TokenDialogProps {
  readonly isAsked: boolean;
  readonly me: Me;
  onClose(): void;
}

/** A secret that comes when the dialog was closed before opens it again: it is told this once, and kept nowhere but here. */
export function TokenDialog({ isAsked, me, onClose }: TokenDialogProps) {
  const [shown, show] = useState<NewToken | null>(null);
  const close = () => {
    show(null);
    onClose();
  };
  return (
    <Modal
      opened={isAsked || shown !== null} onClose={close} title={shown ? `Token ${shown.name}` : "New token"} size={640} closeOnClickOutside={false}
      closeOnEscape={!shown} transitionProps={{ duration: 0 }}
    >
      {shown ? <Secret token={shown} onClose={close} /> : isAsked && <TokenForm me={me} onMade={show} onClose={close} />}
    </Modal>
  );
}

function Secret({ token: { secret, username, expires_at }, onClose }: { token: NewToken; onClose: () => void }) {
  const text = `Whoever has it speaks for ${username} until ${fullTimeText(expires_at)}. It will not be shown again: keep it where only its script reads it, and revoke it if it got out.`;
  return (
    <ToldOnce title="The token, shown this once" text={text} secret={secret} testId="token-secret" onClose={onClose}>
      <p className={styles.note}>With each request it is sent in a header: <Code>Authorization: Bearer …</Code></p>
    </ToldOnce>
  );
}
