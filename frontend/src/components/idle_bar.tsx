import { useEffect, useRef, useState } from "react";

import { fetchActivity, tellActivity } from "../server/activity";
import { IdleWatch } from "../state/idle_watch";
import { noticed } from "../state/queries";
import { AlertBar } from "./alert_bar";

const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** Says some minutes before that the session ends because nobody is there; whatever the reader does takes it away. */
export function IdleBar() {
  const [secondsLeft, setSecondsLeft] = useState<number | null>(null);
  const watch = useRef<IdleWatch | null>(null);
  useEffect(() => {
    const begun = new IdleWatch({ fetch: () => noticed(fetchActivity()), tell: () => noticed(tellActivity()) }, setSecondsLeft);
    watch.current = begun;
    begun.start();
    const act = () => begun.act();
    for (const sign of SIGNS_OF_LIFE) globalThis.addEventListener(sign, act, { passive: true, capture: true });
    return () => {
      for (const sign of SIGNS_OF_LIFE) globalThis.removeEventListener(sign, act, { capture: true });
      begun.end();
    };
  }, []);

  if (secondsLeft === null) return null;
  return (
    <AlertBar
      role="alert" text={`Signing out in ${timeText(secondsLeft)}, as nothing is done here. Drafts are kept.`} action="Stay" testId="idle-warning"
      onAct={() => watch.current?.act()}
    />
  );
}

function timeText(seconds: number): string {
  return seconds < 60 ? "less than a minute" : `${Math.round(seconds / 60)} min`;
}
