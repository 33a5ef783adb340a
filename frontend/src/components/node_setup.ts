/** What is typed into the form of a node, and what of it the server is told. */
import type { NewNode, NodeKind, RemoteNode, SentDocument } from "../server/nodes";
import { ProblemError } from "../server/problem";

export type SignIn = "none" | "password" | "token";

/** Secrets are empty until somebody types one: the server never tells them. */
export interface NodeSetup {
  readonly site: string;
  readonly name: string;
  readonly kind: NodeKind;
  readonly ae_title: string;
  readonly host: string;
  readonly port: string;
  readonly url: string;
  readonly calling_ae_title: string;
  readonly uses_tls: boolean;
  readonly ca_certificates: string;
  readonly client_certificate: string;
  readonly client_key: string;
  readonly sign_in: SignIn;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly documents: readonly SentDocument[];
  readonly sends_approved: boolean;
  readonly prior_count: number;
  readonly prior_years: number;
  readonly prior_words: string;
  readonly asks_commitment: boolean;
  readonly deidentifies: boolean;
  readonly sender: string;
  readonly is_active: boolean;
}

/** What every part of the form is given. */
export interface NodeFieldsProps {
  readonly setup: NodeSetup;
  /** What the server refused, by field. */
  readonly errors: Readonly<Record<string, string>>;
  change(changes: Partial<NodeSetup>): void;
}

/** What the server takes as well when nobody says otherwise. */
const HEAD_WORDS = "head, brain, cran, cereb, neuro, kopf, schädel, hirn, cabeza, tete, testa, glava";

const NO_NODE: NodeSetup = {
  site: "", name: "", kind: "dimse", ae_title: "", host: "", port: "104", url: "", calling_ae_title: "", uses_tls: false,
  ca_certificates: "", client_certificate: "", client_key: "", sign_in: "none", username: "", password: "", token: "",
  documents: ["seg", "sr"], sends_approved: false, is_active: true,
  prior_count: 0, prior_years: 0, prior_words: HEAD_WORDS, asks_commitment: false, deidentifies: false, sender: "",
};

const NO_SECRETS = { client_key: "", password: "", token: "" } as const;

/** @param node null for one that is new */
export function setupOf(node: RemoteNode | null): NodeSetup {
  if (!node) return NO_NODE;
  const signIn = node.has_token ? "token" : node.username ? "password" : "none";
  return { ...NO_NODE, ...keptFields(node), ...NO_SECRETS, port: node.port === null ? "" : String(node.port), sign_in: signIn };
}

function keptFields({ site, name, kind, ae_title, host, url, calling_ae_title, uses_tls, username, ...rest }: RemoteNode) {
  const { ca_certificates, client_certificate, documents, sends_approved, is_active, prior_count, prior_years, prior_words, asks_commitment, deidentifies, sender } = rest;
  return {
    site, name, kind, ae_title, host, url, calling_ae_title, uses_tls, username,
    ca_certificates, client_certificate, documents, sends_approved, is_active, prior_count, prior_years, prior_words,
    asks_commitment, deidentifies, sender,
  };
}

/** Of the address only what the kind has; a secret that nobody typed is left out, and so stays as it is. */
export function requestOf({ site, ...setup }: NodeSetup): NewNode {
  const { name, kind, documents, sends_approved, is_active, prior_count, prior_years, prior_words, deidentifies } = setup;
  return {
    name, kind, sends_approved, is_active, deidentifies, prior_count, prior_years, prior_words, documents: [...documents], ...(site ? { site } : {}),
    ...(kind === "dimse" ? dimseAddress(setup) : webAddress(setup)), ...signInOf(setup), ...certificatesOf(setup),
  };
}

type Typed = Omit<NodeSetup, "site">;

function dimseAddress({ ae_title, host, port, calling_ae_title, uses_tls, asks_commitment }: Typed) {
  return { ae_title, host, port: portOf(port), calling_ae_title, uses_tls, asks_commitment, url: "", sender: "" };
}

function webAddress({ url, sender }: Typed) {
  return { sender, ae_title: "", host: "", port: null, calling_ae_title: "", uses_tls: false, asks_commitment: false, url };
}

/** What is no number is left to the server to refuse, with the field's name. */
function portOf(text: string): number | null {
  return /^\d+$/.test(text.trim()) ? Number(text) : null;
}

function signInOf({ kind, sign_in, username, password, token }: Typed) {
  if (kind === "dicomweb" && sign_in === "password") return { username, token: "", ...(password ? { password } : {}) };
  if (kind === "dicomweb" && sign_in === "token") return { username: "", password: "", ...(token ? { token } : {}) };
  return { username: "", password: "", token: "" };
}

/** A key belongs to a certificate: without one it is forgotten. */
function certificatesOf({ ca_certificates, client_certificate, client_key }: Typed) {
  if (!client_certificate.trim()) return { ca_certificates, client_certificate: "", client_key: "" };
  return { ca_certificates, client_certificate, ...(client_key ? { client_key } : {}) };
}

/** Whether the server forgets secrets that it keeps for this node: another peer is not told them. */
export function forgetsSecrets(node: RemoteNode | null, setup: NodeSetup): boolean {
  if (!node || !(node.has_client_key || node.has_password || node.has_token)) return false;
  const asked = requestOf(setup);
  return (["kind", "host", "port", "url"] as const).some((field) => asked[field] !== node[field]);
}

/** What the server refused, by field; nothing when it refused the whole. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ProblemError)) return {};
  return Object.fromEntries(error.fields.map(({ field, detail }) => [field.split(".")[0] ?? field, detail]));
}
