import { Button, Menu, Modal, UnstyledButton } from "@mantine/core";
import { useState } from "react";

import type { Drafting } from "../state/drafting";
import styles from "./draft_status.module.css";
import { Icon, type IconName } from "./icons";

type Shown = "none" | "saved" | "saving" | "offline" | "conflict";

const TEXTS: Readonly<Record<Exclude<Shown, "none">, { text: string; icon: IconName }>> = {
  saved: { text: "Draft saved", icon: "check" },
  saving: { text: "Saving …", icon: "upload" },
  offline: { text: "Kept on this computer", icon: "info" },
  conflict: { text: "Conflict", icon: "warning" },
};

/** Edits that wait for the pause in which they are saved are told as being saved: nothing else will happen to them. */
function shownOf({ save, isDirty }: Pick<Drafting, "save" | "isDirty">): Shown {
  return isDirty && (save === "none" || save === "saved") ? "saving" : save;
}

/** Where the reader's corrections are, in one calm line; behind it what can be done about it. */
export function DraftStatus({ drafting }: { drafting: Drafting }) {
  const [isAsking, ask] = useState(false);
  const shown = shownOf(drafting);
  if (shown === "none") return <span role="status" className="visually-hidden" data-testid="draft-status" data-save="none">No draft</span>;
  const { text, icon } = TEXTS[shown];
  return (
    <>
      <Menu position="bottom-end" width={270} shadow="md">
        <Menu.Target>
          <UnstyledButton className={styles.status} data-testid="draft-status" data-save={shown} data-revision={drafting.revision ?? undefined}>
            <Icon name={icon} size={15} />
            <span role="status">{text}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{meaningOf(shown, drafting)}</Menu.Label>
          {shown === "offline" && <Menu.Item onClick={drafting.retryNow}>Try to save now</Menu.Item>}
          {drafting.canDiscard && <Menu.Item onClick={() => ask(true)}>Discard this draft …</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <DiscardQuestion isOpen={isAsking} onClose={() => ask(false)} onDiscard={drafting.discard} />
    </>
  );
}

function meaningOf(shown: Exclude<Shown, "none">, { problem, revision, author }: Drafting): string {
  if (shown === "offline") return `${problem ?? "The server did not answer."} Your corrections are safe here and are saved as soon as they can be.`;
  if (shown === "conflict") return "You and another reader changed the same place differently. Neither is lost; choose below the slices.";
  if (shown === "saving") return "Your corrections are on their way to the server.";
  return `Revision ${revision}, last saved by ${author}. Nobody else reads it as a result until it is submitted.`;
}

interface DiscardQuestionProps {
  readonly isOpen: boolean;
  onClose(): void;
  onDiscard(): Promise<void>;
}

export function DiscardQuestion({ isOpen, onClose, onDiscard }: DiscardQuestionProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const discard = async () => {
    try {
      await onDiscard();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title="Discard this draft?" centered size="sm">
      <p className={styles.question}>Every correction since the last version goes, also those of other readers in this draft. This cannot be undone.</p>
      {problem && <p role="alert" className={styles.problem}>{problem}</p>}
      <div className={styles.answers}>
        <Button variant="default" onClick={onClose} data-autofocus>Keep it</Button>
        <Button color="red.8" onClick={() => void discard()}>Discard</Button>
      </div>
    </Modal>
  );
}
