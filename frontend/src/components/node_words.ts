import type { Echo, NodeKind, PeerProblem, RemoteNode, SentDocument } from "../server/nodes";
import { countText } from "./formats";

export const KIND_TEXTS: Readonly<Record<NodeKind, string>> = { dimse: "DIMSE", dicomweb: "DICOMweb" };

export const DOCUMENT_TEXTS: Readonly<Record<SentDocument, string>> = {
  seg: "Segmentation", sr: "Structured report", sc: "Burned-in slices", pdf: "Report (PDF)",
};

/** The longer sentence of the server stands below; this is what a reader takes from it at a glance. */
const PROBLEM_TEXTS: Readonly<Record<PeerProblem, string>> = {
  refused: "Cannot be reached",
  unknown_host: "Cannot be reached",
  forbidden: "Not an address to connect to",
  unreachable: "Cannot be reached",
  timed_out: "Does not answer in time",
  tls: "No trust by TLS",
  unknown_ae: "Does not know an AE title",
  rejected: "Rejects the association",
  aborted: "Ended the association",
  unauthorized: "Does not accept the credentials",
  not_dicomweb: "No DICOMweb at this address",
  broken_secret: "Secrets have to be entered again",
  unsupported: "Does not take such objects",
  not_stored: "Refused some objects",
  not_committed: "Not kept for good",
  not_sent: "Did not send all of the study",
};

/** How the peer answered, in a few words. */
export function echoText(echo: Echo | null): string {
  if (!echo) return "Never asked";
  if (echo.is_answered) return "Answers";
  return echo.problem ? PROBLEM_TEXTS[echo.problem] : "Does not answer";
}

/** A sentence of the server as it stands alone; an address at its beginning stays as it is. */
export function sentence(detail: string): string {
  const text = detail.trim();
  return text && `${text.replace(/^[a-z]+ /, (word) => word.charAt(0).toUpperCase() + word.slice(1)).replace(/\.$/, "")}.`;
}

/** Where the node is: an address of the web, or host and port. */
export function addressText({ kind, url, host, port }: Pick<RemoteNode, "kind" | "url" | "host" | "port">): string {
  if (kind === "dicomweb") return url;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function documentsText(documents: readonly SentDocument[]): string {
  return documents.map((kind) => DOCUMENT_TEXTS[kind]).join(", ");
}

/** The rule by which a node is asked for priors. */
export function priorsText({ prior_count, prior_years }: Pick<RemoteNode, "prior_count" | "prior_years">): string {
  if (prior_count === 0) return "On request";
  return `The newest ${prior_count}${prior_years > 0 ? ` of ${countText(prior_years, "year")}` : ""}`;
}
