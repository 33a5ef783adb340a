import { Button } from "@mantine/core";

import styles from "./account.module.css";
import { BusyButton } from "./busy_button";
import { Notice } from "./problem";

/** Ten codes, shown this once, each good for one sign-in without the phone. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(`PlaqueView recovery codes\n\n${codes.join("\n")}\n`)}`;
  return (
    <>
      <Notice tone="caution" icon="warning" title="Keep these recovery codes">
        <p>Each opens your account once when the phone is not at hand. They are not shown again.</p>
      </Notice>
      <ul className={styles.codes} data-testid="recovery-codes">
        {codes.map((code) => <li key={code}><code>{code}</code></li>)}
      </ul>
      <div className={styles.actions}>
        <Button variant="default" component="a" href={file} download="plaqueview-recovery-codes.txt">Save as a file</Button>
        <BusyButton onClick={onKept}>I have kept them</BusyButton>
      </div>
    </>
  );
}
