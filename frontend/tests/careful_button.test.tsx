// @vitest-environment happy-dom
import { answers, asked, button, press, putAway, show, until } from "./shown";

import { act } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { CarefulButton } from "../src/components/careful_button";
import { PatientDeletion } from "../src/components/patient_deletion";
import { RunCancel } from "../src/components/run_cancel";
import { SchedulesPage } from "../src/pages/schedules_page";
import type { TrainingRun } from "../src/server/training";
import type { Me, Patient } from "../src/server/types";
import { queryClient } from "../src/state/queries";

afterEach(() => putAway(queryClient));

const written = () => asked.filter((one) => !one.startsWith("GET"));

it("acts at the second press only, and there is a way back that keeps the focus", async () => {
  const onSure = vi.fn();
  await show(<CarefulButton label="Delete …" question="Delete it for good" isBusy={false} testId="delete" onSure={onSure} />, queryClient);

  await press("Delete …");
  expect(document.activeElement).toBe(button("Delete it for good"));
  await press("Keep it");
  expect(document.activeElement).toBe(button("Delete …"));
  expect(onSure).not.toHaveBeenCalled();

  await press("Delete …");
  await press("Delete it for good");
  expect(onSure).toHaveBeenCalledOnce();
});

it("takes no key that is still held from the first press", async () => {
  await show(<CarefulButton label="Delete …" question="Delete it for good" isBusy={false} testId="delete" onSure={() => undefined} />, queryClient);
  await press("Delete …");

  const key = (repeat: boolean) => new KeyboardEvent("keydown", { key: "Enter", repeat, bubbles: true, cancelable: true });
  const [held, pressed] = [key(true), key(false)];
  await act(async () => [held, pressed].forEach((event) => button("Delete it for good").dispatchEvent(event)));

  expect([held.defaultPrevented, pressed.defaultPrevented]).toEqual([true, false]);
});

it("removes a schedule that was meant", async () => {
  const schedule = {
    id: "s", name: "Saturdays", sites: ["North"], cron: "0 20 * * 6", minimum_new_studies: 10, window_from: null, window_until: null, rules: {},
    recipe: {}, is_active: true, author: "ana", next_due_at: null, new_studies: 0, last_firing: null,
  };
  answers.set("GET /api/v1/schedules", { results: [schedule] });
  answers.set("GET /api/v1/schedules/s/firings", { results: [] });
  answers.set("DELETE /api/v1/schedules/s", () => new Response(null, { status: 204 }));
  await show(<SchedulesPage me={{ actions: ["training.manage"] } as unknown as Me} />, queryClient);
  await until(() => document.querySelector("article") !== null, "the schedule was listed");

  await press("Remove …");
  expect(written()).toEqual([]);

  await press("Remove it with its record");
  await until(() => written().length > 0, "the server was asked");
  expect(written()).toEqual(["DELETE /api/v1/schedules/s"]);
});

it("cancels a run that was meant, and says what was refused", async () => {
  answers.set("POST /api/v1/runs/r/cancel", () => Response.json({ detail: "The run has ended." }, { status: 409 }));
  await show(<RunCancel run={{ id: "r", state: "running", step: 7 } as TrainingRun} size="xs" />, queryClient);

  await press("Cancel …");
  expect(written()).toEqual([]);

  await press("Cancel: its steps are not taken up again");
  await until(() => document.querySelector("[role=alert]") !== null, "the refusal was told");
  expect(written()).toEqual(["POST /api/v1/runs/r/cancel"]);
  expect(document.querySelector("[role=alert]")?.textContent).toBe("The run has ended.");
});

it("names who would be erased, and releases a hold that was meant", async () => {
  const patient = { id: "p", name: "Doe^Jane", patient_id: "4711", hold_reason: "" } as Patient;
  answers.set("GET /api/v1/patients/p/erasure", { rows: {}, size_bytes: 0, snapshots: [], obstacles: [] });
  await show(<PatientDeletion patient={patient} />, queryClient);
  await press("Erase the patient…");
  expect(document.querySelector("[role=dialog] h2")?.textContent).toBe("Erase Doe, Jane, ID 4711");

  await putAway(queryClient);
  answers.set("DELETE /api/v1/patients/p/hold", {});
  await show(<PatientDeletion patient={{ ...patient, hold_reason: "A lawsuit" }} />, queryClient);
  await press("Release the hold …");
  expect(written()).toEqual([]);

  await press("Release: the patient may be deleted from now on");
  await until(() => written().length > 0, "the server was asked");
  expect(written()).toEqual(["DELETE /api/v1/patients/p/hold"]);
});
