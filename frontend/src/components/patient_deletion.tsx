import { Button, Modal, TextInput } from "@mantine/core";
import { useIsMutating, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { erasePatient, fetchErasure, setHold, type Erasure } from "../server/erasure";
import type { Patient } from "../server/types";
import { queryClient } from "../state/queries";
import { BusyButton } from "./busy_button";
import { CarefulButton } from "./careful_button";
import { bytesText, countText, nameText } from "./formats";
import { Loading } from "./loading";
import styles from "./patient_deletion.module.css";
import { Notice, Problem } from "./problem";
import { Proof, proofIn } from "./proof";

interface PatientDeletionProps {
  readonly patient: Patient;
}

/** What an administrator decides about keeping a patient: a hold, or everything gone. */
export function PatientDeletion({ patient: { id: patient, name, patient_id, hold_reason: holdReason } }: PatientDeletionProps) {
  const [asked, setAsked] = useState<"hold" | "erase" | null>(null);
  const close = () => setAsked(null);
  const isErasing = useIsMutating({ mutationKey: erasureOf(patient) }) > 0;
  return (
    <section className={styles.panel} aria-label="Keeping and deleting" data-testid="patient-deletion">
      <h2>Keeping and deleting</h2>
      <div className={styles.actions}>
        {holdReason ? <Release patient={patient} /> : <BusyButton variant="default" size="xs" onClick={() => setAsked("hold")}>Hold…</BusyButton>}
        <Button variant="default" size="xs" color="red" onClick={() => setAsked("erase")} disabled={holdReason !== ""}>Erase the patient…</Button>
        <span className={styles.dim}>
          {holdReason ? "Nothing is deleted while the patient is held." : "A hold keeps everything, whatever the department's retention says."}
        </span>
      </div>
      <Modal opened={asked === "hold"} onClose={close} title={`Hold ${nameText(name)}, ID ${patient_id}`} centered size="sm" closeOnClickOutside={false} classNames={{ title: styles.title }}>
        <HoldForm patient={patient} onDone={close} />
      </Modal>
      <Modal
        opened={asked === "erase"} onClose={close} closeOnEscape={!isErasing} withCloseButton={!isErasing}
        title={`Erase ${nameText(name)}, ID ${patient_id}`} centered size="md" closeOnClickOutside={false}
        classNames={{ title: styles.title }}
      >
        <ErasureForm patient={patient} onClose={close} />
      </Modal>
    </section>
  );
}

function erasureOf(patient: string): readonly string[] {
  return ["erasure", patient];
}

/** For everybody: why nothing of the patient may be deleted. */
export function HoldNote({ reason }: { readonly reason: string }) {
  return reason ? <Notice tone="caution" icon="info" title="Held: nothing of this patient is deleted"><p>{reason}</p></Notice> : null;
}

function useHold(patient: string) {
  return useMutation({
    mutationFn: (reason: string) => setHold(patient, reason),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["patient", patient] }),
  });
}

function Release({ patient }: { readonly patient: string }) {
  const hold = useHold(patient);
  return (
    <>
      {hold.isError && <Problem error={hold.error} />}
      <CarefulButton
        label="Release the hold …" question="Release: the patient may be deleted from now on" keep="Keep the hold" isBusy={hold.isPending}
        onSure={() => hold.mutate("")} testId="release-hold"
      />
    </>
  );
}

function HoldForm({ patient, onDone }: { readonly patient: string; readonly onDone: () => void }) {
  const hold = useHold(patient);
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        hold.mutate(String(new FormData(event.currentTarget).get("reason")), { onSuccess: onDone });
      }}
    >
      <TextInput name="reason" label="Why" description="Everybody who may see the patient reads it." required maxLength={500} data-autofocus />
      {hold.isError && <Problem error={hold.error} />}
      <BusyButton type="submit" isBusy={hold.isPending} className={styles.submit}>Hold</BusyButton>
    </form>
  );
}

function ErasureForm({ patient, onClose }: { readonly patient: string; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const preview = useQuery({ queryKey: erasureOf(patient), queryFn: () => fetchErasure(patient), staleTime: 0, gcTime: 0 });
  const erasing = useMutation({
    mutationKey: erasureOf(patient),
    mutationFn: (given: FormData) => erasePatient(patient, String(given.get("reason")), proofIn(given)),
    onSuccess: async () => {
      await navigate("/");
      queryClient.clear();
    },
  });
  if (!preview.data) return preview.error ? <Problem error={preview.error} onRetry={() => void preview.refetch()} /> : <Loading of="what would go" />;
  const { obstacles } = preview.data;
  if (obstacles.length > 0) {
    return (
      <Notice tone="caution" icon="info" title="Not now">
        {obstacles.map((obstacle) => <p key={obstacle}>{`${obstacle.charAt(0).toUpperCase()}${obstacle.slice(1)}.`}</p>)}
      </Notice>
    );
  }
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        erasing.mutate(new FormData(event.currentTarget));
      }}
    >
      <WhatGoes erasure={preview.data} />
      <TextInput name="reason" label="Why" description="Kept in the audit; write no name here." required maxLength={500} data-autofocus />
      <Proof />
      {erasing.isError && <Problem error={erasing.error} />}
      <div className={styles.answers}>
        <BusyButton variant="default" disabled={erasing.isPending} onClick={onClose}>Keep the patient</BusyButton>
        <BusyButton type="submit" color="red.8" isBusy={erasing.isPending} data-testid="erase">Erase for good</BusyButton>
      </div>
    </form>
  );
}

function WhatGoes({ erasure: { rows, size_bytes, snapshots } }: { readonly erasure: Erasure }) {
  const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
  return (
    <ul className={styles.list}>
      <li>{`${countText(rows["study"] ?? 0, "study", "studies")} with ${countText(rows["instance"] ?? 0, "image")} (${bytesText(size_bytes)}), ${countText(rows["annotation"] ?? 0, "version")}, ${countText(total, "entry", "entries")} in all. This cannot be undone.`}</li>
      {snapshots.length > 0 && <li>{`${countText(snapshots.length, "dataset")} with the patient will not be used any more; models that learned from there stay.`}</li>}
      <li>The files go within two hours. What was sent to a PACS stays there, and backups keep the patient until they are deleted.</li>
    </ul>
  );
}
