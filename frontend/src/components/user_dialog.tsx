import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { Me } from "../server/types";
import { closeUser, createPasswordLink, endUserSessions, openUser, type PasswordLink, type User } from "../server/users";
import { signInQuery } from "../state/queries";
import { refreshUsers } from "../state/users";
import { BusyButton } from "./busy_button";
import { fullTimeText } from "./formats";
import styles from "./node_form.module.css";
import { Notice, Problem } from "./problem";
import { Proof, proofIn } from "./proof";
import { ToldOnce } from "./told_once";
import { UserForm } from "./user_form";
import { lastSignIn, waysIn } from "./user_words";

interface UserDialogProps {
  /** The account to manage, or a new one; null shows nothing. */
  readonly asked: User | "new" | null;
  readonly me: Me;
  onClose(): void;
}

type Step = "form" | "link" | "sessions" | "close" | "open";

/** Everything that is done to one account, one thing at a time. */
export function UserDialog({ asked, me, onClose }: UserDialogProps) {
  const title = asked === "new" ? "New user" : `User ${asked?.username ?? ""}`;
  return (
    <Modal opened={asked !== null} onClose={onClose} title={title} size={620} closeOnClickOutside={false} transitionProps={{ duration: 0 }}>
      {asked && <Steps key={asked === "new" ? "new" : asked.id} first={asked === "new" ? null : asked} me={me} onClose={onClose} />}
    </Modal>
  );
}

function Steps({ first, me, onClose }: { first: User | null; me: Me; onClose: () => void }) {
  const [user, setUser] = useState(first);
  const [step, setStep] = useState<Step>("form");
  const [link, setLink] = useState<PasswordLink | null>(null);
  if (link && user) return <ShownLink link={link} user={user} onClose={onClose} />;
  if (user && step !== "form") {
    return <Action step={step} user={user} isNew={first === null} onLink={setLink} onDone={onClose} onBack={first ? () => setStep("form") : onClose} />;
  }
  const notManaged = user && reasonAgainst(user, me);
  if (notManaged) return <Notice tone="quiet" icon="info" title="Not managed from here"><p>{notManaged}</p></Notice>;
  const saved = (kept: User) => {
    setUser(kept);
    if (first) onClose();
    else setStep("link");
  };
  return (
    <UserForm user={user} me={me} onSaved={saved} onClose={onClose}>
      {user && <Others user={user} onChoose={setStep} />}
    </UserForm>
  );
}

function reasonAgainst(user: User, me: Me): string {
  if (user.id === me.id) return "This is your own account, which another administrator manages. Your password, second factor and sessions are under Account.";
  return user.has_other_sites ? "The account belongs to sites that you do not have, too. An administrator of all of them manages it." : "";
}

function Others({ user, onChoose }: { user: User; onChoose: (step: Step) => void }) {
  if (!user.is_active) return <Button variant="default" onClick={() => onChoose("open")}>Open the account …</Button>;
  return (
    <>
      <Button variant="default" onClick={() => onChoose("link")}>Password link …</Button>
      <Button variant="default" onClick={() => onChoose("sessions")}>End sessions …</Button>
      <Button variant="default" onClick={() => onChoose("close")}>Close the account …</Button>
    </>
  );
}

interface ActionProps {
  readonly step: Exclude<Step, "form">;
  readonly user: User;
  readonly isNew: boolean;
  onLink(link: PasswordLink): void;
  onDone(): void;
  onBack(): void;
}

const ACTIONS: Readonly<Record<ActionProps["step"], { readonly title: string; readonly text: string; readonly button: string }>> = {
  link: {
    title: "A link to set the password",
    text: "You hand it to the owner: it sets the password once, within three days, and ends any link made before. A password that there is holds until then; a second factor is asked for all the same.",
    button: "Make the link",
  },
  sessions: { title: "End its sessions", text: "Its owner has to sign in again in every browser. Corrections that are not submitted stay kept as drafts.", button: "End the sessions" },
  close: {
    title: "Close the account",
    text: "Nobody can sign in to it any more; its sessions, tokens and links end now. Unread studies that were assigned to it are nobody’s within a minute. What its owner read, corrected and approved stays under their name, and the account can be opened again.",
    button: "Close the account",
  },
  open: { title: "Open the account", text: "Its owner can sign in again as before. Tokens are made anew.", button: "Open the account" },
};

function Action({ step, user, isNew, onLink, onDone, onBack }: ActionProps) {
  const openid = useQuery(signInQuery).data?.openid;
  const { title, text, button } = ACTIONS[step];
  const doing = useMutation({
    mutationFn: async (given: FormData) => {
      const proof = proofIn(given);
      if (step === "link") return createPasswordLink(user.id, proof);
      if (step === "sessions") await endUserSessions(user.id, proof);
      else await (step === "close" ? closeUser : openUser)(user.id, proof);
      return null;
    },
    onSettled: refreshUsers,
  });
  return (
    <form
      className={styles.form} aria-label={title} data-testid="user-action"
      onSubmit={(event) => {
        event.preventDefault();
        // Not for a dialog that was left meanwhile: it may be another's by now.
        doing.mutate(new FormData(event.currentTarget), { onSuccess: (link) => (link ? onLink(link) : onDone()) });
      }}
    >
      {isNew && (
        <Notice tone="quiet" icon="check" title={`The account ${user.username} is made`}>
          <p>{openid ? `Its owner signs in with ${openid.name}, or sets a password by a link.` : "Its owner sets a password by a link, and then signs in."}</p>
        </Notice>
      )}
      <p className={styles.note}><strong>{`${title}: ${user.name}.`}</strong>{` ${text}`}</p>
      {!isNew && <p className={styles.note}>{`Ways in now: ${waysIn(user)}. Last sign-in: ${lastSignIn(user)}.`}</p>}
      {!isNew && <Proof />}
      {doing.isError && <Problem error={doing.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={doing.isPending} {...(step === "close" ? { color: "red.9" } : {})}>{button}</BusyButton>
        <Button variant="default" onClick={onBack}>{isNew ? "Not now" : "Back"}</Button>
      </div>
    </form>
  );
}

function ShownLink({ link: { url, expires_at }, user, onClose }: { link: PasswordLink; user: User; onClose: () => void }) {
  const text = `Give it to ${user.name} in person or by a way that only they read: whoever opens it first sets the password. It holds until ${fullTimeText(expires_at)}.`;
  return <ToldOnce title="The link, shown this once" text={text} secret={url} testId="password-link" onClose={onClose} />;
}
