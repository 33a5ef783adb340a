import { Button, Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { reauthenticate } from "../server/session";
import styles from "./account.module.css";
import { BusyButton } from "./busy_button";
import { Problem } from "./problem";
import { Proof, proofIn } from "./proof";

interface ProvenDownloadProps {
  readonly href: string;
  /** What leaves the house, in a few words. */
  readonly what: string;
  /** Empty: the server names the file. */
  readonly filename?: string;
  readonly label: string;
  readonly size?: "sm" | "compact-sm" | "compact-xs";
  readonly title?: string;
  readonly testId?: string;
  readonly className?: string | undefined;
}

/** What is taken out of the house is given to whoever has just shown that it is them, as the server demands. */
export function ProvenDownload({ href, what, filename = "", label, size = "sm", title, testId, className }: ProvenDownloadProps) {
  const [isAsked, ask] = useState(false);
  const close = () => ask(false);
  return (
    <>
      <Button variant="default" size={size} onClick={() => ask(true)} title={title} className={className} data-testid={testId}>{label}</Button>
      <Modal opened={isAsked} onClose={close} title="Download" size="sm" centered transitionProps={{ duration: 0 }}>
        <ProofForm href={href} filename={filename} what={what} onClose={close} />
      </Modal>
    </>
  );
}

function ProofForm({ href, filename, what, onClose }: { href: string; filename: string; what: string; onClose: () => void }) {
  const giving = useMutation({ mutationFn: (given: FormData) => reauthenticate(proofIn(given)) });
  const give = () => {
    download(href, filename);
    onClose();
  };
  return (
    <form
      className={styles.form} data-testid="proven-download"
      onSubmit={(event) => {
        event.preventDefault();
        // Only while the question stands: nothing leaves the house once it was withdrawn.
        giving.mutate(new FormData(event.currentTarget), { onSuccess: give });
      }}
    >
      <p className={styles.text}>{`${what} leaves this installation, which is on record. Show that it is you.`}</p>
      <Proof />
      {giving.isError && <Problem error={giving.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={giving.isPending}>Download</BusyButton>
        <Button variant="default" onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}

/** As a click on a link does it: the browser fetches the file, of any size, and keeps it. */
function download(href: string, filename: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = filename;
  link.click();
}
