import type { TransferState } from "../server/transfers";
import { StateBadge } from "./state_badge";
import { TRANSFER_STATES } from "./transfer_words";

export function TransferBadge({ state }: { state: TransferState }) {
  return <StateBadge state={state} words={TRANSFER_STATES[state]} />;
}
