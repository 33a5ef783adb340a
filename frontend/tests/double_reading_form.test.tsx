// @vitest-environment happy-dom
import { answers, asked, button, field, fill, press, putAway, show, until } from "./shown";

import { afterEach, beforeEach, expect, it } from "vitest";

import { DoubleReadingForm } from "../src/components/double_reading_form";
import { queryClient } from "../src/state/queries";

const study = (id: string, name: string) => ({ id, study_date: null, study_description: "", patient: { name, patient_id: id } });
const ANNA = study("a", "Abt^Anna");
const BEA = study("b", "Blum^Bea");

const people = ["ana", "ben", "eva"].map((username) => ({ username, name: "" }));

beforeEach(() => {
  answers.set("GET /api/v1/readers", { results: people });
  answers.set("GET /api/v1/studies", ({ url }: Request) => ({ results: url.includes("search=Blum") ? [BEA] : [ANNA, BEA] }));
});

afterEach(() => putAway(queryClient));

const options = () => [...field<HTMLSelectElement>("Unread study").options].map(({ text }) => text);

async function showForm(): Promise<void> {
  await show(<DoubleReadingForm onDone={() => undefined} />, queryClient);
  await until(() => options().length === 3, "both studies were listed");
  for (const [label, username] of [["First reader", "ana"], ["Second reader", "ben"], ["Adjudicator", "eva"]] as const) {
    // oxlint-disable-next-line no-await-in-loop -- a choice takes the person from the others
    await fill(label, username);
  }
}

it("begins on no study that its search does not show", async () => {
  await showForm();
  await fill("Unread study", "a");
  expect(button("Begin").hasAttribute("aria-disabled")).toBe(false);

  await fill("Find the study", "Blum");
  await until(() => options().length === 2, "the other study was listed alone");
  await press("Begin");

  expect(field<HTMLSelectElement>("Unread study").value).toBe("");
  expect(button("Begin").getAttribute("aria-disabled")).toBe("true");
  expect(asked.filter((one) => one.startsWith("POST"))).toEqual([]);
});

it("lets go of a study that was chosen while its search was on the way", async () => {
  await showForm();
  await fill("Find the study", "Blum");
  await fill("Unread study", "a");

  await until(() => options().length === 2, "the other study was listed alone");
  await press("Begin");

  expect(asked.filter((one) => one.startsWith("POST"))).toEqual([]);
});

it("says that studies are looked for, or why they did not come, and not that none matches", async () => {
  let refuse: (answer: Response) => void = () => undefined;
  answers.set("GET /api/v1/studies", () => new Promise<Response>((resolve) => (refuse = resolve)));
  await show(<DoubleReadingForm onDone={() => undefined} />, queryClient);
  expect(options()).toEqual(["Looking …"]);

  refuse(Response.json({ title: "Not now", detail: "The search is closed." }, { status: 409 }));

  await until(() => document.body.textContent?.includes("The search is closed.") === true, "the refusal was told");
  expect(options()).toEqual(["Choose …"]);
});
