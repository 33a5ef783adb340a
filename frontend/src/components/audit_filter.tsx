import { Button, Checkbox, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useId, useState } from "react";

import type { AuditFilter as Query, EventKind } from "../server/audit";
import styles from "./audit.module.css";
import { EVENT_TEXTS, KIND_GROUPS, kindsIn, type KindGroup } from "./audit_words";
import { countText } from "./formats";
import { Icon } from "./icons";
import type { PageFilter } from "./page_filter";

const NAMES = ["kind", "actor_name", "object", "since", "until"] as const;

/** Several kinds are often chosen one after the other. */
const CHOOSING_MS = 400;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The start of a day, or of one some days later, by the clocks of this computer; nothing where the text names no day. */
function startOfDay(text: string, daysLater = 0): string | null {
  const start = new Date(`${text}T00:00:00`);
  if (!DAY.test(text) || Number.isNaN(start.getTime())) return null;
  start.setDate(start.getDate() + daysLater);
  return start.toISOString();
}

/** What the server is asked for by the words of the address; the last day counts whole. */
export function queryOf({ read }: Pick<PageFilter, "read">): Query {
  const [kind, actor_name, object, since, until] = [kindsIn(read("kind")), read("actor_name"), read("object"), startOfDay(read("since")), startOfDay(read("until"), 1)];
  return {
    ...(kind.length > 0 ? { kind } : {}), ...(actor_name ? { actor_name } : {}), ...(object ? { object } : {}), ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

/** Which events are listed: by kind, by who, by the record that they are about, and by day. */
export function AuditFilter({ read, change }: PageFilter) {
  const [isOpen, open] = useState(false);
  const panel = useId();
  const [kinds, choose] = useChosenKinds(read("kind"), (kind) => change({ kind }));
  const isFiltered = NAMES.some((name) => read(name) !== "");
  return (
    <section className={styles.filter} aria-label="Events listed">
      <div className={styles.fields}>
        <Button
          size="xs" variant="default" className={styles.kinds} aria-expanded={isOpen} aria-controls={isOpen ? panel : undefined} onClick={() => open(!isOpen)}
          rightSection={<Icon name="down" size={12} />} data-testid="choose-kinds"
        >
          {kinds.length > 0 ? countText(kinds.length, "kind") : "All kinds"}
        </Button>
        <Word label="Who" placeholder="Username, whole" text={read("actor_name")} onGive={(actor_name) => change({ actor_name })} />
        <Word label="On" placeholder="Id of a study, a patient …" className={styles.object} text={read("object")} onGive={(object) => change({ object })} />
        <TextInput size="xs" type="date" label="From" value={read("since")} onChange={(event) => change({ since: event.currentTarget.value })} />
        <TextInput size="xs" type="date" label="to" value={read("until")} onChange={(event) => change({ until: event.currentTarget.value })} />
        {isFiltered && <Button size="xs" variant="subtle" onClick={() => change(Object.fromEntries(NAMES.map((name) => [name, ""])))}>All events</Button>}
      </div>
      {isOpen && <Kinds id={panel} chosen={kinds} onChoose={choose} />}
    </section>
  );
}

/** The kinds as they are ticked; the address, and the server, hear of them once nobody ticks any more. */
function useChosenKinds(text: string, onGive: (text: string) => void) {
  const [{ given, kinds }, set] = useState({ given: text, kinds: kindsIn(text) });
  if (given !== text) set({ given: text, kinds: kindsIn(text) });
  const give = useDebouncedCallback(onGive, CHOOSING_MS);
  const choose = (next: readonly EventKind[]) => {
    set({ given, kinds: [...next] });
    give(next.join(","));
  };
  return [kinds, choose] as const;
}

interface WordProps {
  readonly label: string;
  readonly placeholder: string;
  readonly text: string;
  readonly className?: string | undefined;
  onGive(text: string): void;
}

/** The server compares whole words, so that it is asked once a word is whole: at Enter, or when the field is left. */
function Word({ label, placeholder, text, className, onGive }: WordProps) {
  const [{ given, typed }, type] = useState({ given: text, typed: text });
  if (given !== text) type({ given: text, typed: text });
  const give = () => {
    if (typed.trim() !== text) onGive(typed.trim());
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        give();
      }}
    >
      <TextInput
        size="xs" label={label} placeholder={placeholder} className={className} value={typed} autoComplete="off" autoCapitalize="none" spellCheck={false}
        onChange={(event) => type({ given, typed: event.currentTarget.value })} onBlur={give}
      />
    </form>
  );
}

interface KindsProps {
  readonly id: string;
  readonly chosen: readonly EventKind[];
  onChoose(kinds: readonly EventKind[]): void;
}

function Kinds({ id, chosen, onChoose }: KindsProps) {
  const set = (kinds: readonly EventKind[], isOn: boolean) =>
    onChoose(isOn ? [...chosen, ...kinds.filter((kind) => !chosen.includes(kind))] : chosen.filter((kind) => !kinds.includes(kind)));
  return (
    <div id={id} className={styles.choice} data-testid="kinds">
      <div className={styles.groups}>
        {KIND_GROUPS.map((group) => <Group key={group.label} group={group} chosen={chosen} onSet={set} />)}
      </div>
    </div>
  );
}

interface GroupProps {
  readonly group: KindGroup;
  readonly chosen: readonly EventKind[];
  onSet(kinds: readonly EventKind[], isOn: boolean): void;
}

function Group({ group: { label, kinds }, chosen, onSet }: GroupProps) {
  const count = kinds.filter((kind) => chosen.includes(kind)).length;
  const isWhole = count === kinds.length;
  return (
    <fieldset>
      <legend className="visually-hidden">{label}</legend>
      <Checkbox
        size="xs" className={styles.group} label={label} checked={isWhole} indeterminate={count > 0 && !isWhole}
        onChange={() => onSet(kinds, !isWhole)}
      />
      {kinds.map((kind) => (
        <Checkbox
          key={kind} size="xs" className={styles.kind} label={EVENT_TEXTS[kind]} checked={chosen.includes(kind)}
          onChange={(event) => onSet([kind], event.currentTarget.checked)}
        />
      ))}
    </fieldset>
  );
}
