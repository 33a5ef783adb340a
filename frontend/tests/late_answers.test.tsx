// @vitest-environment happy-dom
import { address, answers, asked, fill, press, putAway, show, until } from "./shown";

import { act } from "react";
import { Route, Routes, useNavigate } from "react-router";
import { afterEach, expect, it, vi } from "vitest";

import { PatientDeletion } from "../src/components/patient_deletion";
import { ProvenDownload } from "../src/components/proven_download";
import { NextUnreadButton, useNextUnread } from "../src/components/reading_queue";
import { NodesPage } from "../src/pages/nodes_page";
import { UsersPage } from "../src/pages/users_page";
import { WebhooksPage } from "../src/pages/webhooks_page";
import type { Me, Patient } from "../src/server/types";
import { queryClient } from "../src/state/queries";

// Fields that grow with their text ask for it.
Object.defineProperty(document, "fonts", { value: new EventTarget() });

const A_DIALOG_FADES_MS = 300;
const PROOF = "POST /_allauth/browser/v1/auth/reauthenticate";

afterEach(async () => {
  vi.restoreAllMocks();
  await putAway(queryClient);
});

const me = { actions: ["node.manage"], sites: [{ id: "n", name: "North" }] } as unknown as Me;
const title = () => document.querySelector("[role=dialog] h2")?.textContent ?? null;

/** What is asked for is answered when the test says so. */
function held(what: string): (answer: unknown) => Promise<void> {
  let give: (answer: unknown) => void = () => undefined;
  answers.set(what, () => new Promise((resolve) => (give = resolve)));
  return (answer) => act(async () => give(answer));
}

function labelled(label: string): HTMLButtonElement {
  return document.querySelector(`button[aria-label="${label}"]`) as HTMLButtonElement;
}

it("a node that was saved after its dialog was left closes no other dialog", async () => {
  const node = (id: string, name: string) => ({
    id, name, site: "n", kind: "dimse", ae_title: "A", host: "h", port: 104, url: "", calling_ae_title: "", uses_tls: false, ca_certificates: "",
    client_certificate: "", has_client_key: false, username: "", has_password: false, has_token: false, documents: ["seg"], sends_approved: false,
    sends_approved_since: null, prior_count: 0, prior_years: 0, prior_words: "", fetches_priors_since: null, asks_commitment: false,
    deidentifies: false, sender: "", is_active: true, last_echo: null,
  });
  answers.set("GET /api/v1/nodes", { results: [node("a", "Archive"), node("b", "PACS")] });
  const answer = held("PATCH /api/v1/nodes/a");
  await show(<NodesPage me={me} />, queryClient);
  await until(() => labelled("Edit Archive") !== null, "the nodes were listed");

  await act(async () => labelled("Edit Archive").click());
  await press("Save");
  await until(() => asked.includes("PATCH /api/v1/nodes/a"), "it was saved");
  await press("Cancel");
  await act(async () => labelled("Edit PACS").click());
  await answer({});

  expect(title()).toBe("Node PACS");
});

it("an account that was closed after its dialog was left closes no other dialog", async () => {
  const user = (id: string) => ({
    id, username: id, first_name: "", last_name: "", name: id, role: "neurologist", sites: [{ id: "n", name: "North" }], has_other_sites: false,
    is_active: true, last_login: null, date_joined: "2026-12-01T00:00:00Z", has_password: true, password_link_until: null, has_second_factor: false,
    has_identity: false, actions: [],
  });
  answers.set("GET /api/v1/users", { count: 2, results: [user("ana"), user("bor")] });
  answers.set("GET /_allauth/browser/v1/account/authenticators", { status: 200, data: [] });
  answers.set(PROOF, { status: 200 });
  const answer = held("DELETE /api/v1/users/ana/opening");
  await show(<UsersPage me={me} />, queryClient);
  await until(() => labelled("Manage ana") !== null, "the users were listed");

  await act(async () => labelled("Manage ana").click());
  await press("Close the account …");
  await fill("Your password", "7331-hvk8-qqzz-5p2w");
  await press("Close the account");
  await until(() => asked.includes("DELETE /api/v1/users/ana/opening"), "it was asked for");
  await press("Back");
  await press("Cancel");
  await act(async () => labelled("Manage bor").click());
  await answer({});

  expect(title()).toBe("User bor");
});

it("a secret that comes after its dialog was left is shown, by the name of its own webhook", async () => {
  answers.set("GET /api/v1/webhooks", { results: [] });
  const answer = held("POST /api/v1/webhooks");
  await show(<WebhooksPage me={me} />, queryClient);
  await press("New webhook");
  await fill("Name", "Engine");
  await press("Save");
  await until(() => asked.includes("POST /api/v1/webhooks"), "it was created");
  await press("Cancel");
  expect(title()).toBeNull();

  await answer({ id: "w", name: "Engine", secret: "whsec_1" });

  expect(title()).toBe("Webhook Engine");
  expect(document.querySelector("[data-testid=secret]")?.textContent).toBe("whsec_1");
});

it("nothing is downloaded once the question who is there was withdrawn", async () => {
  const clicked: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
    clicked.push(this.pathname);
  });
  const prove = async (): Promise<(answer: unknown) => Promise<void>> => {
    const answer = held(PROOF);
    await press("Export …");
    await fill("Your password", "a passphrase");
    await press("Download");
    return answer;
  };
  await show(<ProvenDownload href="/a.zip" what="The snapshot" label="Export …" />, queryClient);

  const late = await prove();
  await press("Cancel");
  await late({});
  expect(clicked).toEqual([]);

  await (await prove())({});
  await until(() => clicked.length > 0, "it was downloaded");
  expect(clicked).toEqual(["/a.zip"]);
});

it("a patient who is being erased is not told as kept", async () => {
  answers.set("GET /api/v1/patients/p/erasure", { rows: {}, size_bytes: 0, snapshots: [], obstacles: [] });
  const answer = held(PROOF);
  await show(<PatientDeletion patient={{ id: "p", name: "Doe^Jane", patient_id: "1", hold_reason: "" } as Patient} />, queryClient);
  await press("Erase the patient…");
  await until(() => document.querySelector("[data-testid=erase]") !== null, "the question was asked");
  await fill("Why", "Asked for");
  await fill("Your password", "a passphrase");
  await press("Erase for good");
  await until(() => document.querySelector("[data-testid=erase][data-busy]") !== null, "it was under way");

  await press("Keep the patient");
  await act(async () => document.querySelector("[role=dialog]")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", code: "Escape", bubbles: true })));
  await act(() => new Promise((resolve) => setTimeout(resolve, A_DIALOG_FADES_MS)));
  expect(title()).toBe("Erase Doe, Jane, ID 1");
  expect(document.querySelector("[role=dialog] header button")).toBeNull();

  answers.set("POST /api/v1/patients/p/erasure", () => Response.json({ detail: "Not now." }, { status: 409 }));
  await answer({});
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was told");
  await press("Keep the patient");
  await until(() => title() === null, "the dialog was closed");
});

it("the next unread study opens for nobody who has gone elsewhere meanwhile", async () => {
  function Page() {
    const [next, navigate] = [useNextUnread(null), useNavigate()];
    return <><NextUnreadButton next={next} /><button type="button" onClick={() => void navigate("/jobs")}>Leave</button></>;
  }
  const answer = held("GET /api/v1/studies/next");
  await show(<Routes><Route path="/" element={<Page />} /><Route path="*" element={null} /></Routes>, queryClient);
  await press("Next unread");
  await until(() => asked.includes("GET /api/v1/studies/next"), "it was asked for");

  await press("Leave");
  await answer({ id: "s" });

  expect(address()).toBe("/jobs");
});
