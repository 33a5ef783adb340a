import { useQuery } from "@tanstack/react-query";

import { BusyButton } from "../components/busy_button";
import { KeySettings } from "../components/key_settings";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { keepKeys } from "../state/preferences";
import { useKeymap } from "../state/keymap";
import { preferencesQuery } from "../state/queries";
import styles from "./plain_page.module.css";
import { useState } from "react";

/** Which key runs which command, for this reader on every computer. */
export function KeysPage() {
  usePageTitle("Keys");
  const preferences = useQuery(preferencesQuery);
  const chosen = useKeymap((keymap) => keymap.keys);
  const [error, setError] = useState<unknown>(null);
  const keep = (keys: typeof chosen) => {
    setError(null);
    keepKeys(keys).catch(setError);
  };
  return (
    <div className={styles.page} data-testid="keys-page">
      <div className={styles.title}>
        <h1>Keys</h1>
        <BusyButton variant="default" disabled={Object.keys(chosen).length === 0} onClick={() => keep({})} data-testid="reset-all-keys">Reset all</BusyButton>
      </div>
      <p className={styles.lead}>They are kept for you on the server. Press Add, then the key or the keys together; Esc leaves it as it was.</p>
      {error !== null && <Problem error={error} />}
      {preferences.isError && <Problem error={preferences.error} onRetry={() => void preferences.refetch()} />}
      {preferences.isPending && <Loading of="keys" />}
      {preferences.data && <KeySettings chosen={chosen} onChange={keep} />}
    </div>
  );
}
