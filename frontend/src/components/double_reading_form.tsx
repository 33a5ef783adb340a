import { NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { beginDoubleReading } from "../server/double_readings";
import type { Study } from "../server/types";
import { queryClient, readersQuery, studiesQuery } from "../state/queries";
import { BusyButton } from "./busy_button";
import styles from "./double_reading_form.module.css";
import { dateText, nameText } from "./formats";
import { useKeptPlace } from "./kept_place";
import { Problem } from "./problem";

const SEARCH_DELAY_MS = 250;
const MOST_LISTED = 20;

interface Choice {
  readonly study: string;
  readonly first: string;
  readonly second: string;
  readonly adjudicator: string;
}

const NOTHING: Choice = { study: "", first: "", second: "", adjudicator: "" };

/** Asks for a study, its two readers and the one who decides between them: three different people. */
export function DoubleReadingForm({ onDone }: { onDone: () => void }) {
  const [choice, setChoice] = useState(NOTHING);
  const [search, setSearch] = useState("");
  const readers = useQuery(readersQuery);
  const people = readers.data ?? [];
  const studies = useFoundStudies(search);
  // What begins is what the form shows: a study that the list has no more is not chosen any longer.
  const study = studies.data?.results.some(({ id }) => id === choice.study) ? choice.study : "";
  const beginning = useMutation({
    mutationFn: () => beginDoubleReading({ study, readers: [choice.first, choice.second], adjudicator: choice.adjudicator }),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["double-readings"] }),
  });
  const place = useKeptPlace<HTMLFormElement>();
  const chosen = [choice.first, choice.second, choice.adjudicator];
  const isWhole = study !== "" && chosen.every(Boolean) && new Set(chosen).size === chosen.length;
  const person = (label: string, field: "first" | "second" | "adjudicator") => (
    <NativeSelect
      size="xs" label={label} value={choice[field]} onChange={(event) => setChoice({ ...choice, [field]: event.currentTarget.value })}
      data={[{ value: "", label: "Choose …" }, ...people
        .filter(({ username }) => username === choice[field] || !chosen.includes(username))
        .map(({ username, name }) => ({ value: username, label: name || username }))]}
    />
  );
  return (
    <form
      ref={place} className={styles.form} aria-label="New double reading" data-testid="double-reading-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (isWhole) beginning.mutate(undefined, { onSuccess: onDone });
      }}
    >
      <StudyChoice
        studies={studies} search={search} chosen={study} onChoose={(one) => setChoice({ ...choice, study: one })}
        onSearch={(typed) => {
          setSearch(typed);
          setChoice({ ...choice, study: "" });
        }}
      />
      <div className={styles.people}>
        {person("First reader", "first")}
        {person("Second reader", "second")}
        {person("Adjudicator", "adjudicator")}
      </div>
      {readers.isError && <Problem error={readers.error} onRetry={() => void readers.refetch()} />}
      {beginning.isError && <Problem error={beginning.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" disabled={!isWhole} isBusy={beginning.isPending}>Begin</BusyButton>
        <BusyButton variant="default" onClick={onDone}>Cancel</BusyButton>
      </div>
    </form>
  );
}

function useFoundStudies(typed: string) {
  const [search] = useDebouncedValue(typed.trim(), SEARCH_DELAY_MS);
  return useQuery(studiesQuery({ page: 1, page_size: MOST_LISTED, reading: "unread", ...(search ? { search } : {}) }));
}

interface StudyChoiceProps {
  readonly studies: ReturnType<typeof useFoundStudies>;
  readonly search: string;
  readonly chosen: string;
  onSearch(typed: string): void;
  onChoose(study: string): void;
}

function StudyChoice({ studies: { data, isPending, error, refetch }, search, chosen, onSearch, onChoose }: StudyChoiceProps) {
  const found = data?.results ?? [];
  const prompt = isPending ? "Looking …" : data && found.length === 0 ? "No unread study matches" : "Choose …";
  return (
    <>
      <div className={styles.study}>
        <TextInput autoFocus size="xs" type="search" label="Find the study" placeholder="Name, patient ID, accession" value={search} onChange={(event) => onSearch(event.currentTarget.value)} />
        <NativeSelect
          size="xs" label="Unread study" value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}
          data={[{ value: "", label: prompt }, ...found.map((study) => ({ value: study.id, label: studyText(study) }))]}
        />
      </div>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
    </>
  );
}

function studyText({ patient, study_date, study_description }: Study): string {
  return [nameText(patient.name), patient.patient_id, dateText(study_date), study_description].filter(Boolean).join(" · ");
}
