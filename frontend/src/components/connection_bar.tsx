import { Button } from "@mantine/core";

import { feed, useFeedStatus } from "../state/live";
import styles from "./connection_bar.module.css";
import { Icon } from "./icons";

/** Says that the page no longer follows the server; gone once it does again and has fetched what it shows. */
export function ConnectionBar() {
  if (useFeedStatus() !== "lost") return null;
  return (
    <div className={styles.bar} role="status" data-testid="connection-lost">
      <Icon name="warning" />
      <span>Connection lost. What you see may be out of date.</span>
      <Button variant="default" size="compact-xs" onClick={() => feed.reconnectNow()}>Connect now</Button>
    </div>
  );
}
