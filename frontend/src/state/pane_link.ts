import type { Affine } from "../geometry/affine";
import { IDENTITY, isScannerShared, offsetLink, relativeLink, type Grid } from "../geometry/registration";
import type { Registration } from "../server/longitudinal";
import type { LinkMode } from "./panes";

/** By what a pane goes with the study's own. */
export type LinkKind = "registered" | "scanner" | "relative" | "slices" | "free";

export interface PaneLink {
  readonly kind: LinkKind;
  /** From a position of the study to that of the pane; null when it goes alone. */
  readonly matrix: Affine | null;
}

/** @param offset how many slices further on the pane is, for the mode that keeps this number */
export function linkFor(mode: LinkMode, registration: Registration | null, from: Grid, to: Grid, offset: number): PaneLink {
  if (mode === "free") return { kind: "free", matrix: null };
  if (mode === "slices") return { kind: "slices", matrix: offsetLink(from, to, offset) };
  if (registration?.state === "succeeded" && registration.matrix) return { kind: "registered", matrix: registration.matrix };
  return isScannerShared(from, to) ? { kind: "scanner", matrix: IDENTITY } : { kind: "relative", matrix: relativeLink(from, to) };
}

const KIND_TEXTS: Readonly<Record<LinkKind, string>> = {
  registered: "Registered",
  scanner: "Linked by scanner position",
  relative: "Linked by relative position",
  slices: "Linked slice by slice",
  free: "Not linked",
};

/** What the pane says about its link: what it is by, and why it is not by registration. */
export function linkText(kind: LinkKind, registration: Registration | null | undefined): string {
  const text = KIND_TEXTS[kind];
  if (kind !== "scanner" && kind !== "relative") return text;
  if (registration?.state === "queued" || registration?.state === "running") return `Registration is ${registration.state}. ${text} until then`;
  return registration?.state === "failed" ? `Registration failed. ${text}` : text;
}
