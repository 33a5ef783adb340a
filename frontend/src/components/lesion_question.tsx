import { Button, Kbd, Modal, TextInput, UnstyledButton } from "@mantine/core";
import { useEffect, useEffectEvent, useState } from "react";

import type { Evidence } from "../server/review";
import { editNow, useEditing, type LesionQuestion } from "../state/editing";
import type { CommandContext } from "../tools/command";
import { confirmLesion, refuteLesion } from "../tools/lesion_edits";
import styles from "./lesion_question.module.css";

interface Choice<Value extends string = string> {
  readonly value: Value;
  readonly text: string;
}

const EVIDENCE: readonly Choice<Evidence>[] = [
  { value: "post_gadolinium", text: "T1 after gadolinium" },
  { value: "prior", text: "A prior study" },
  { value: "reader_opinion", text: "My own opinion" },
];

/** Why a marked place is no lesion. The words are the server's. */
const REASONS: readonly Choice[] = [
  { value: "artefact", text: "Artefact" },
  { value: "vessel", text: "Vessel" },
  { value: "normal_variant", text: "Normal variant" },
  { value: "choroid_plexus", text: "Choroid plexus" },
  { value: "not_demyelinating", text: "A lesion, but not demyelinating" },
];

const OTHER = "other: ";
/** The server keeps reasons of at most 500 characters. */
const LONGEST_REASON = 500 - OTHER.length;

/** What "x" and "c" can be answered with, in the order of the number keys. */
const CHOICES: Readonly<Record<LesionQuestion["kind"], readonly Choice[]>> = {
  evidence: EVIDENCE,
  false_positive: [...REASONS, { value: OTHER, text: "Something else …" }],
};

/** The question that is open about one lesion: answered by one number key, at once after the key that asks, or by mouse. */
export function LesionQuestionDialog({ contextNow }: { contextNow: () => CommandContext }) {
  const question = useEditing((editing) => editing.question);
  const [isOther, setOther] = useState(false);
  const close = () => {
    setOther(false);
    editNow().ask(null);
  };
  const answer = (asked: LesionQuestion, value: string) => {
    if (value === OTHER) return setOther(true);
    close();
    if (asked.kind === "false_positive") refuteLesion(contextNow(), asked.lesion, value);
    else confirmLesion(contextNow(), asked.lesion, value as Evidence);
  };
  useNumberKeys(isOther, answer);
  const title = question?.kind === "evidence" ? "Confirm this lesion. It rests on" : "This is no lesion, because it is";
  return (
    <Modal opened={question !== null} onClose={close} title={title} size="sm" overlayProps={{ backgroundOpacity: 0.2 }} transitionProps={{ duration: 0 }}>
      {question && !isOther && <Choices choices={CHOICES[question.kind]} onChoose={(value) => answer(question, value)} />}
      {question && isOther && <OtherReason onTold={(words) => answer(question, words)} />}
    </Modal>
  );
}

/** Numbers answer from the moment that the question is asked, before the dialog is drawn and has the focus. */
function useNumberKeys(isOther: boolean, onAnswer: (question: LesionQuestion, value: string) => void): void {
  const answer = useEffectEvent((event: KeyboardEvent) => {
    const { question } = editNow();
    const found = question && !isOther ? CHOICES[question.kind][Number(event.key) - 1] : undefined;
    if (!question || !found) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    onAnswer(question, found.value);
  });
  useEffect(() => {
    const stopping = new AbortController();
    // A component's listener comes before that of the page around it, which runs commands.
    window.addEventListener("keydown", (event) => answer(event), { signal: stopping.signal, capture: true });
    return () => stopping.abort();
  }, []);
}

function Choices({ choices, onChoose }: { choices: readonly Choice[]; onChoose(value: string): void }) {
  return (
    <ul className={styles.choices} data-testid="lesion-question">
      {choices.map(({ value, text }, order) => (
        <li key={value}>
          <UnstyledButton className={styles.choice} onClick={() => onChoose(value)} data-autofocus={order === 0 || undefined} aria-keyshortcuts={`${order + 1}`}>
            <Kbd size="xs">{order + 1}</Kbd>
            {text}
          </UnstyledButton>
        </li>
      ))}
    </ul>
  );
}

/** Another reason, in the reader's own words. */
function OtherReason({ onTold }: { onTold(reason: string): void }) {
  const [words, setWords] = useState("");
  const isTold = words.trim().length > 0;
  return (
    <form
      className={styles.other}
      onSubmit={(event) => {
        event.preventDefault();
        if (isTold) onTold(OTHER + words.trim());
      }}
    >
      <TextInput label="What is it?" value={words} maxLength={LONGEST_REASON} onChange={(event) => setWords(event.currentTarget.value)} data-autofocus autoFocus />
      <Button type="submit" disabled={!isTold}>No lesion</Button>
    </form>
  );
}
