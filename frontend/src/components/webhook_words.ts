import type { Delivery, DeliveryState, WebhookEvent } from "../server/webhooks";
import type { StateWords } from "./state_badge";

export const EVENT_TEXTS: Readonly<Record<WebhookEvent, string>> = {
  "study.received": "A study was received",
  "job.completed": "The network has read a study, or could not",
  "annotation.approved": "A version was approved",
  "export.failed": "A transfer was given up",
};

/** An event as lists name it; a test has a name of its own. */
export function eventText(event: Delivery["event"]): string {
  return event === "webhook.tested" ? "Test" : EVENT_TEXTS[event];
}

export const DELIVERY_STATES: Readonly<Record<DeliveryState, StateWords>> = {
  queued: { label: "Queued", tone: "quiet", meaning: "Waits for a worker." },
  sending: { label: "Sending", tone: "busy", meaning: "A worker sends it now." },
  delivered: { label: "Delivered", tone: "good", meaning: "The receiver has it." },
  failed: { label: "Failed", tone: "caution", meaning: "It is tried again by itself." },
  dead: { label: "Given up", tone: "alert", meaning: "It is not tried again until somebody sends it again." },
};
