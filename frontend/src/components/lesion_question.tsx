import { Button, Kbd, Modal, TextInput, UnstyledButton } from "@mantine/core";
import { useState, type KeyboardEvent } from "react";

import type { Evidence } from "../server/review";
import { editNow, useEditing } from "../state/editing";
import type { CommandContext } from "../tools/command";
import { confirmLesion, refuteLesion } from "../tools/lesion_edits";
import styles from "./lesion_question.module.css";

interface Choice<Value> {
  readonly value: Value;
  readonly text: string;
}

const EVIDENCE: readonly Choice<Evidence>[] = [
  { value: "post_gadolinium", text: "T1 after gadolinium" },
  { value: "prior", text: "A prior study" },
  { value: "reader_opinion", text: "My own opinion" },
];

/** Why a marked place is no lesion. The words are the server's. */
const REASONS: readonly Choice<string>[] = [
  { value: "artefact", text: "Artefact" },
  { value: "vessel", text: "Vessel" },
  { value: "normal_variant", text: "Normal variant" },
  { value: "choroid_plexus", text: "Choroid plexus" },
  { value: "not_demyelinating", text: "A lesion, but not demyelinating" },
];

const OTHER = "other: ";
/** The server keeps reasons of at most 500 characters. */
const LONGEST_REASON = 500 - OTHER.length;

/** The question that is open about one lesion: answered by one number key, or by mouse. */
export function LesionQuestionDialog({ contextNow }: { contextNow: () => CommandContext }) {
  const question = useEditing((editing) => editing.question);
  const close = () => editNow().ask(null);
  const title = question?.kind === "evidence" ? "Confirm this lesion. It rests on" : "This is no lesion, because it is";
  return (
    <Modal opened={question !== null} onClose={close} title={title} size="sm" overlayProps={{ backgroundOpacity: 0.2 }} transitionProps={{ duration: 0 }}>
      {question?.kind === "evidence" && (
        <Choices choices={EVIDENCE} onChoose={(evidence) => { close(); confirmLesion(contextNow(), question.lesion, evidence); }} />
      )}
      {question?.kind === "false_positive" && (
        <Refutation onChoose={(reason) => { close(); refuteLesion(contextNow(), question.lesion, reason); }} />
      )}
    </Modal>
  );
}

interface ChoicesProps<Value> {
  readonly choices: readonly Choice<Value>[];
  onChoose(value: Value): void;
}

function Choices<Value extends string>({ choices, onChoose }: ChoicesProps<Value>) {
  const onKeyDown = (event: KeyboardEvent) => {
    const found = choices[Number(event.key) - 1];
    if (!found || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    onChoose(found.value);
  };
  return (
    <ul className={styles.choices} onKeyDown={onKeyDown} data-testid="lesion-question">
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

/** A known reason, or another in the reader's own words. */
function Refutation({ onChoose }: { onChoose(reason: string): void }) {
  const [isOther, setOther] = useState(false);
  const [words, setWords] = useState("");
  if (!isOther) {
    const choices = [...REASONS, { value: OTHER, text: "Something else …" }];
    return <Choices choices={choices} onChoose={(reason) => (reason === OTHER ? setOther(true) : onChoose(reason))} />;
  }
  const isTold = words.trim().length > 0;
  return (
    <form
      className={styles.other}
      onSubmit={(event) => {
        event.preventDefault();
        if (isTold) onChoose(OTHER + words.trim());
      }}
    >
      <TextInput label="What is it?" value={words} maxLength={LONGEST_REASON} onChange={(event) => setWords(event.currentTarget.value)} data-autofocus autoFocus />
      <Button type="submit" disabled={!isTold}>No lesion</Button>
    </form>
  );
}
