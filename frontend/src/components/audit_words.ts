import type { AuditEvent, EventKind } from "../server/audit";
import type { Me } from "../server/types";

/** What somebody did, as a list says it behind their name. */
export const EVENT_TEXTS: Readonly<Record<EventKind, string>> = {
  "account.created": "Made an account",
  "account.changed": "Changed an account",
  "account.closed": "Closed an account",
  "account.opened": "Opened an account again",
  "account.password_link_created": "Made a password link",
  "account.signed_in": "Signed in",
  "account.sign_in_failed": "A sign-in failed",
  "account.signed_out": "Signed out",
  "account.password_changed": "Changed the password",
  "account.identity_bound": "Bound a hospital account",
  "account.identity_unbound": "Released a hospital account",
  "account.second_factor_added": "Added a second factor",
  "account.second_factor_removed": "Removed a second factor",
  "token.created": "Made a token",
  "token.revoked": "Revoked a token",
  "patient.read": "Looked at patients",
  "patient.held": "Held a patient",
  "patient.released": "Released a hold",
  "patient.erased": "Erased a patient",
  "patient.identifiers_sealed": "Sealed the identifiers",
  "study.received": "Received a study",
  "study.settled": "A study was complete",
  "study.read": "Looked at studies",
  "study.removed": "Removed a study, or parts of it",
  "series.read": "Looked at a series",
  "study.flair_chosen": "Chose the FLAIR",
  "assignment.changed": "Assigned or released a study",
  "upload.created": "Uploaded files",
  "upload.read": "Looked at an upload",
  "double_reading.created": "Began a double reading",
  "double_reading.read": "Looked at double readings",
  "double_reading.moved": "Moved a double reading on",
  "annotation.created": "Made a version",
  "annotation.read": "Looked at versions",
  "annotation.submitted": "Submitted a version",
  "annotation.approved": "Approved a version",
  "annotation.returned": "Returned a version",
  "annotation.imported": "Imported a version",
  "document.exported": "Exported a document",
  "draft.created": "Began a draft",
  "draft.read": "Looked at a draft",
  "draft.discarded": "Discarded a draft",
  "comment.created": "Wrote a comment",
  "comment.read": "Looked at comments",
  "comment.resolved": "Resolved a comment",
  "job.requested": "Asked for an inference",
  "job.read": "Looked at jobs",
  "job.succeeded": "An inference succeeded",
  "job.failed": "An inference failed",
  "job.cancelled": "Cancelled an inference",
  "job.retried": "Tried an inference again",
  "rerun.requested": "Asked for a re-run",
  "rerun.read": "Looked at re-runs",
  "rerun.cancelled": "Cancelled a re-run",
  "registration.requested": "Asked for a registration",
  "registration.read": "Looked at registrations",
  "registration.succeeded": "A registration succeeded",
  "registration.failed": "A registration failed",
  "registration.cancelled": "Cancelled a registration",
  "enhancement.requested": "Asked which lesions take up contrast agent",
  "enhancement.succeeded": "Found which lesions take up contrast agent",
  "enhancement.failed": "Did not find which lesions take up contrast agent",
  "node.created": "Added a node",
  "node.changed": "Changed a node",
  "node.removed": "Removed a node",
  "node.echoed": "Tested a node",
  "node.searched": "Searched a node",
  "transfer.requested": "Asked for a transfer",
  "transfer.resent": "Asked for a transfer again",
  "transfer.read": "Looked at transfers",
  "transfer.sent": "Sent a transfer",
  "transfer.failed": "A transfer failed",
  "transfer.dead": "A transfer was given up",
  "fetch.requested": "Asked for a fetch",
  "fetch.read": "Looked at fetches",
  "fetch.done": "Fetched a study",
  "fetch.failed": "A fetch failed",
  "fetch.dead": "A fetch was given up",
  "fetch.cancelled": "Cancelled a fetch",
  "fetch.retried": "Tried a fetch again",
  "webhook.created": "Added a webhook",
  "webhook.changed": "Changed a webhook",
  "webhook.secret_renewed": "Renewed a webhook’s secret",
  "webhook.tested": "Tested a webhook",
  "webhook.removed": "Removed a webhook",
  "delivery.delivered": "Delivered a message",
  "delivery.dead": "A message was given up",
  "delivery.asked_again": "Asked for a message again",
  "model.registered": "Registered a model",
  "model.promoted": "Promoted a model",
  "model.override_asked": "Asked to promote a model against the gate",
  "model.rolled_back": "Rolled back to a model",
  "model.shadow_started": "Began a shadow period",
  "model.shadow_ended": "Ended a shadow period",
  "model.exported": "Exported a model",
  "model.imported": "Imported a model",
  "model.evaluation_requested": "Asked for a model’s evaluation",
  "model.evaluated": "Evaluated a model",
  "snapshot.requested": "Asked for a dataset",
  "snapshot.ready": "A dataset was ready",
  "snapshot.failed": "A dataset failed",
  "snapshot.read": "Looked at datasets",
  "snapshot.exported": "Exported a dataset",
  "run.requested": "Asked for a training run",
  "run.read": "Looked at training runs",
  "run.succeeded": "A training run succeeded",
  "run.failed": "A training run failed",
  "run.cancelled": "Cancelled a training run",
  "schedule.created": "Added a schedule",
  "schedule.changed": "Changed a schedule",
  "schedule.removed": "Removed a schedule",
  "schedule.read": "Looked at schedules",
  "schedule.fired": "A schedule was due",
  "audit.read": "Looked at the audit",
};

/** The kinds by what they are about: by the first word of each. */
const GROUPS: readonly (readonly [label: string, ...subjects: string[]])[] = [
  ["Accounts and tokens", "account", "token"],
  ["Patients", "patient"],
  ["Studies", "study", "series", "assignment", "upload"],
  ["Reading", "double_reading", "annotation", "document", "draft", "comment"],
  ["Jobs", "job", "rerun", "registration", "enhancement"],
  ["Nodes", "node", "transfer", "fetch"],
  ["Webhooks", "webhook", "delivery"],
  ["Models and training", "model", "snapshot", "run", "schedule"],
  ["Audit", "audit"],
];

export interface KindGroup {
  readonly label: string;
  readonly kinds: readonly EventKind[];
}

const ALL_KINDS = Object.keys(EVENT_TEXTS) as EventKind[];

export const KIND_GROUPS: readonly KindGroup[] = GROUPS.map(([label, ...subjects]) => ({
  label, kinds: ALL_KINDS.filter((kind) => subjects.includes(kind.slice(0, kind.indexOf(".")))),
}));

/** The kinds that an address asks for; a word that is none is passed over. */
export function kindsIn(text: string): EventKind[] {
  const words = new Set(text.split(","));
  return ALL_KINDS.filter((kind) => words.has(kind));
}

/** As a list calls an object; a plural is all of them at once. */
const OBJECT_TEXTS: Readonly<Record<string, string>> = {
  annotation: "Version", audit: "The audit", cohort: "The cohort", comment: "Comment", database: "The database", delivery: "Message",
  double_reading: "Double reading", draft: "Draft", enhancement: "Uptake of contrast agent", fetch: "Fetch", fetches: "The list of fetches",
  job: "Job", model: "Model", node: "Node", patient: "Patient", patients: "The list of patients", registration: "Registration",
  rerun: "Re-run", run: "Training run", schedule: "Schedule", search: "A search by DICOMweb", series: "Series", shadow_reading: "Shadow reading",
  snapshot: "Dataset", study: "Study", token: "Token", transfer: "Transfer", transfers: "The list of transfers", upload: "Upload", user: "Account",
  webhook: "Webhook", worklist: "The worklist",
};

export function objectText(type: string): string {
  return OBJECT_TEXTS[type] ?? type;
}

const PAGES: Readonly<Record<string, (id: string) => string>> = {
  study: (id) => `/studies/${id}`,
  patient: (id) => `/patients/${id}`,
  run: (id) => `/training/runs/${id}`,
  model: () => "/models",
};

/** Where an object can be seen; nothing where no page shows it. */
export function pageOf(type: string, id: string): string | null {
  return (id && PAGES[type]?.(id)) || null;
}

/** What an event left nothing of has no page any more. */
export function isGone({ kind, details }: Pick<AuditEvent, "kind" | "details">): boolean {
  return kind === "patient.erased" || (kind === "study.removed" && details["is_study_gone"] === true);
}

/** Enough of an id or a hash to tell two of them apart. */
export function shortened(id: string): string {
  return id.slice(0, 8);
}

/** What an object is called that a detail names by its id. */
const NAMED: Readonly<Record<string, string>> = { study: "study", prior: "study", prior_of: "study", priors_of: "study", patient: "patient", run: "run" };

export interface Detail {
  readonly term: string;
  readonly text: string;
  readonly page: string | null;
}

/** What an event says beside who and when, in words; what is empty says nothing. */
export function detailsOf({ details, site_id }: Pick<AuditEvent, "details" | "site_id">, sites: Me["sites"]): Detail[] {
  const site = site_id ? [{ term: "site", text: sites.find(({ id }) => id === site_id)?.name ?? site_id, page: null }] : [];
  const told = Object.entries(details).map(([name, value]) => {
    const text = valueText(value);
    return { term: name.replace(/^is_/, "").replaceAll("_", " "), text, page: NAMED[name] ? pageOf(NAMED[name], text) : null };
  });
  return [...site, ...told].filter(({ text }) => text !== "");
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([name, part]) => `${name} ${valueText(part)}`).join(", ");
  return String(value);
}
