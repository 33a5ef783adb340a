/** Holding a patient, and erasing one. */
import { bodyOf, client } from "./client";
import type { components } from "./schema";
import { reauthenticate } from "./session";

export type Erasure = components["schemas"]["Erasure"];

const at = (patient: string) => ({ path: { patient_id: patient } });

/** With an empty reason the hold ends. */
export async function setHold(patient: string, reason: string): Promise<void> {
  await bodyOf(
    reason
      ? client.PUT("/api/v1/patients/{patient_id}/hold", { params: at(patient), body: { reason } })
      : client.DELETE("/api/v1/patients/{patient_id}/hold", { params: at(patient) }),
  );
}

export function fetchErasure(patient: string): Promise<Erasure> {
  return bodyOf(client.GET("/api/v1/patients/{patient_id}/erasure", { params: at(patient) }));
}

/** The password first: only who has just given it may erase. */
export async function erasePatient(patient: string, reason: string, password: string): Promise<Erasure> {
  await reauthenticate(password);
  return bodyOf(client.POST("/api/v1/patients/{patient_id}/erasure", { params: at(patient), body: { reason } }));
}
