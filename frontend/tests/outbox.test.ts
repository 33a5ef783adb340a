import { describe, expect, it } from "vitest";

import { fieldErrors, forgetsSecrets, requestOf, setupOf } from "../src/components/node_setup";
import { addressText, echoText, priorsText, sentence } from "../src/components/node_words";
import { nextAttemptText } from "../src/components/transfer_words";
import type { RemoteNode } from "../src/server/nodes";
import { problemOf } from "../src/server/problem";
import { canResend, isUnderway } from "../src/state/outbox";

const PACS: RemoteNode = {
  id: "n", site: "s", name: "PACS", kind: "dimse", ae_title: "ORTHANC", host: "pacs.example", port: 104, url: "", calling_ae_title: "",
  uses_tls: true, ca_certificates: "", client_certificate: "PEM", has_client_key: true, username: "", has_password: false, has_token: false,
  documents: ["seg", "sr"], sends_approved: false, sends_approved_since: null, prior_count: 2, prior_years: 5, prior_words: "head", fetches_priors_since: null, asks_commitment: true, deidentifies: true, sender: "", is_active: true, last_echo: null, created: "", modified: "",
};
const ARCHIVE: RemoteNode = {
  ...PACS, kind: "dicomweb", ae_title: "", host: "", port: null, url: "https://archive.example/dicom-web", uses_tls: false,
  client_certificate: "", has_client_key: false, username: "plaqueview", has_password: true,
};

describe("what the server is told of a node", () => {
  it("keeps secrets that nobody typed", () => {
    expect(requestOf(setupOf(PACS))).toEqual({
      site: "s", name: "PACS", kind: "dimse", ae_title: "ORTHANC", host: "pacs.example", port: 104, url: "", calling_ae_title: "",
      uses_tls: true, ca_certificates: "", client_certificate: "PEM", username: "", password: "", token: "", documents: ["seg", "sr"],
      sends_approved: false, prior_count: 2, prior_years: 5, prior_words: "head", asks_commitment: true, deidentifies: true, sender: "", is_active: true,
    });
    expect(requestOf(setupOf(ARCHIVE))).not.toHaveProperty("password");
  });

  it("has the address of the chosen kind only", () => {
    const asked = requestOf({ ...setupOf(PACS), kind: "dicomweb", url: "https://archive.example" });

    expect(requestOf({ ...setupOf(ARCHIVE), sender: "modality" }).sender).toBe("modality");
    expect(asked).toMatchObject({ ae_title: "", host: "", port: null, uses_tls: false, asks_commitment: false, url: "https://archive.example" });
  });

  it("forgets the password of a node that is given a token, and the key of a certificate that is gone", () => {
    expect(requestOf({ ...setupOf(ARCHIVE), sign_in: "token", token: "t" })).toMatchObject({ username: "", password: "", token: "t" });
    expect(requestOf({ ...setupOf(PACS), client_certificate: " " })).toMatchObject({ client_certificate: "", client_key: "" });
  });

  it.each([["104", 104], [" 11112 ", 11112], ["", null], ["1e3", null], ["http", null]])("has the port %j as %j", (typed, port) => {
    expect(requestOf({ ...setupOf(null), port: typed }).port).toBe(port);
  });
});

it("a node that moves forgets its secrets, one that is renamed does not", () => {
  expect(forgetsSecrets(PACS, { ...setupOf(PACS), name: "Archive" })).toBe(false);
  expect(forgetsSecrets(PACS, { ...setupOf(PACS), host: "other.example" })).toBe(true);
  expect(forgetsSecrets({ ...PACS, has_client_key: false }, { ...setupOf(PACS), host: "other.example" })).toBe(false);
  expect(forgetsSecrets(null, setupOf(null))).toBe(false);
});

it("a refusal is told at its fields, an element of a list at the list", () => {
  const errors = [{ field: "host", detail: "needed" }, { field: "documents.1", detail: "not a choice" }];

  expect(fieldErrors(problemOf(400, { errors }))).toEqual({ host: "needed", documents: "not a choice" });
  expect(fieldErrors(problemOf(409, { detail: "the site has a node of this name" }))).toEqual({});
});

describe("words of a node", () => {
  it.each([
    [null, "Never asked"],
    [{ at: "", is_answered: true, problem: null, detail: "" }, "Answers"],
    [{ at: "", is_answered: false, problem: "refused", detail: "" }, "Cannot be reached"],
    [{ at: "", is_answered: false, problem: "unknown_ae", detail: "" }, "Does not know an AE title"],
  ] as const)("an echo of %j is told as %s", (echo, text) => {
    expect(echoText(echo)).toBe(text);
  });

  it("an address is host and port, or that of the web", () => {
    expect([PACS, { ...PACS, host: "fe80::1" }, ARCHIVE].map(addressText)).toEqual([
      "pacs.example:104", "[fe80::1]:104", "https://archive.example/dicom-web",
    ]);
  });

  it.each([[0, 5, "On request"], [2, 0, "The newest 2"], [2, 1, "The newest 2 of 1 year"]])("a rule of %j priors of %j years is told as %s", (prior_count, prior_years, text) => {
    expect(priorsText({ prior_count, prior_years })).toBe(text);
  });

  it("an answer of the server stands as a sentence", () => {
    expect(sentence("nothing listens there")).toBe("Nothing listens there.");
    expect(sentence("https://a.example: no answer in time.")).toBe("https://a.example: no answer in time.");
    expect(sentence(" ")).toBe("");
  });
});

describe("a transfer", () => {
  const at = "2026-11-22T10:00:00Z";
  const moment = Date.parse(at);

  it.each([
    ["queued", true, false], ["sending", true, false], ["failed", true, true], ["sent", false, true], ["dead", false, true],
  ] as const)("that is %s is underway: %s, can be sent again: %s", (state, underway, again) => {
    expect([isUnderway({ state }), canResend({ state })]).toEqual([underway, again]);
  });

  it("is tried next when the server says so, and no more once it is sent or given up", () => {
    const next = (state: "queued" | "failed" | "sending" | "sent" | "dead") => nextAttemptText({ state, next_attempt_at: at }, moment);

    expect([next("queued"), next("sending"), next("sent"), next("dead")]).toEqual(["In a moment", "Now", "–", "–"]);
    expect(nextAttemptText({ state: "failed", next_attempt_at: at }, moment - 1)).toMatch(/^22 Nov, \d\d:\d\d$/);
  });
});
