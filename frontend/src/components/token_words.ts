import type { Token } from "../server/tokens";
import type { Action } from "../server/types";
import type { StateWords } from "./state_badge";

/** What each right lets somebody do. */
export const ACTION_TEXTS: Readonly<Record<Action, string>> = {
  "study.read": "See studies",
  "study.upload": "Upload studies",
  "study.override": "Choose the FLAIR series",
  "study.deidentify": "Take out de-identified studies and the cohort",
  "study.delete": "Delete studies",
  "patient.read": "See patients",
  "patient.erase": "Hold and erase patients",
  "annotation.read": "See versions, lesions and reports",
  "annotation.edit": "Correct versions and comment",
  "annotation.review": "Approve and return versions",
  "reading.manage": "Assign studies and manage double readings",
  "inference.request": "Ask for inferences",
  "job.read": "See jobs",
  "job.cancel": "Cancel jobs",
  "dicomweb.read": "Search and fetch by DICOMweb",
  "dicomweb.store": "Store by DICOMweb",
  "node.read": "See nodes",
  "node.search": "Search nodes",
  "node.manage": "Manage nodes",
  "fetch.read": "See fetches",
  "fetch.request": "Fetch studies from nodes",
  "transfer.read": "See transfers",
  "transfer.send": "Send to nodes",
  "webhook.manage": "Manage webhooks",
  "model.read": "See models",
  "model.manage": "Manage models",
  "training.read": "See training",
  "training.manage": "Manage training",
  "worker.read": "See workers",
  "audit.read": "See the audit",
  "user.manage": "Manage users",
  "token.manage": "See and revoke tokens",
};

const ACTIONS = Object.keys(ACTION_TEXTS) as Action[];

/** In the order in which they are listed everywhere. */
export function inOrder(actions: readonly Action[]): Action[] {
  return ACTIONS.filter((action) => actions.includes(action));
}

export type TokenState = "valid" | "expired" | "revoked";

export const TOKEN_STATES: Readonly<Record<TokenState, StateWords>> = {
  valid: { label: "Valid", tone: "good", meaning: "It speaks for its account." },
  expired: { label: "Expired", tone: "quiet", meaning: "Its time is over." },
  revoked: { label: "Revoked", tone: "quiet", meaning: "Somebody ended it." },
};

export function stateOf({ revoked_at, expires_at }: Pick<Token, "revoked_at" | "expires_at">, now = new Date()): TokenState {
  if (revoked_at) return "revoked";
  return new Date(expires_at) > now ? "valid" : "expired";
}

/** How long a token holds: for some days, or to the end of a day. */
export const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "365 days" },
  { value: "day", label: "Until a day …" },
] as const;

export type Life = (typeof LIVES)[number]["value"];

/** The last day that may be chosen: a token lives for 366 days at most. */
export const LONGEST_DAYS = 365;

/** @param day as 2026-12-01, by the clocks of this computer; holds to its end */
export function endOf(life: Life, day: string, now = new Date()): string {
  if (life === "day") return new Date(`${day}T23:59:59`).toISOString();
  return new Date(now.getTime() + Number(life) * 24 * 3_600_000).toISOString();
}

/** The day some days after now, as a field of a form takes it. */
export function dayAfter(now: Date, days: number): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
