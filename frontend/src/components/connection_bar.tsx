import { feed, useFeedStatus } from "../state/live";
import { AlertBar } from "./alert_bar";

/** Says that the page no longer follows the server; gone once it does again and has fetched what it shows. */
export function ConnectionBar() {
  if (useFeedStatus() !== "lost") return null;
  return (
    <AlertBar
      role="status" text="Connection lost. What you see may be out of date." action="Connect now" testId="connection-lost"
      onAct={() => feed.reconnectNow()}
    />
  );
}
