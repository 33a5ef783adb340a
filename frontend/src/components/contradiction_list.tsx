import { Button } from "@mantine/core";

import type { Anchor } from "../server/review";
import type { Contradiction } from "../state/contradictions";
import { BusyButton } from "./busy_button";
import styles from "./contradiction_list.module.css";
import { countText } from "./formats";
import { Notice } from "./problem";

interface ContradictionListProps {
  readonly contradictions: readonly Contradiction[];
  onShow(anchor: Anchor): void;
  onWithdraw(contradiction: Contradiction): void;
}

/** What was said about lesions that the mask no longer holds that way: the server takes no version before it is settled. */
export function ContradictionList({ contradictions, onShow, onWithdraw }: ContradictionListProps) {
  if (contradictions.length === 0) return null;
  return (
    <Notice tone="caution" icon="warning" title={`${countText(contradictions.length, "statement")} that the mask contradicts`}>
      <ul className={styles.list} data-testid="contradictions">
        {contradictions.map((contradiction) => (
          <li key={contradiction.statement.id}>
            <p>{contradiction.detail}</p>
            <span className={styles.actions}>
              <Button size="compact-xs" variant="default" onClick={() => onShow(contradiction.statement.anchor)}>Show the place</Button>
              <BusyButton size="compact-xs" variant="default" onClick={() => onWithdraw(contradiction)}>Withdraw</BusyButton>
            </span>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
