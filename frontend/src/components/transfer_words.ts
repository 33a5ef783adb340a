import type { Transfer, TransferState } from "../server/transfers";
import type { Delivery } from "../server/webhooks";
import { timeText, UNKNOWN } from "./formats";
import type { StateWords } from "./state_badge";

export const TRANSFER_STATES: Readonly<Record<TransferState, StateWords>> = {
  queued: { label: "Queued", tone: "quiet", meaning: "Waits for a worker." },
  sending: { label: "Sending", tone: "busy", meaning: "A worker sends it now." },
  committing: { label: "Stored", tone: "busy", meaning: "The node has every document and was asked to commit itself to keep them." },
  sent: { label: "Sent", tone: "good", meaning: "The node has every document." },
  failed: { label: "Failed", tone: "caution", meaning: "It is tried again by itself." },
  dead: { label: "Given up", tone: "alert", meaning: "It is not tried again until somebody sends it again." },
};

type Tried = Pick<Transfer | Delivery, "state" | "next_attempt_at">;

/**
 * When the server goes on with it by itself.
 * @param asOf when the server told it, ms since 1970
 */
export function nextAttemptText({ state, next_attempt_at }: Tried, asOf: number): string {
  if (state === "sending") return "Now";
  if (state === "committing") return UNKNOWN;
  if (state === "sent" || state === "delivered" || state === "dead" || !next_attempt_at) return UNKNOWN;
  return Date.parse(next_attempt_at) <= asOf ? "In a moment" : timeText(next_attempt_at);
}
