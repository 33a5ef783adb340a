import { Button, Checkbox, NativeSelect, Radio, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { reauthenticate } from "../server/session";
import { createToken, type NewToken } from "../server/tokens";
import type { Action, Me } from "../server/types";
import { refreshTokens } from "../state/tokens";
import { usersQuery } from "../state/users";
import { BusyButton } from "./busy_button";
import styles from "./node_form.module.css";
import { fieldErrors } from "./node_setup";
import { Problem } from "./problem";
import { Proof, proofIn } from "./proof";
import { useRefusedField } from "./refused_field";
import { ACTION_TEXTS, dayAfter, endOf, inOrder, LIVES, LONGEST_DAYS, type Life } from "./token_words";

interface TokenFormProps {
  readonly me: Me;
  /** There is a secret to be shown, once. */
  onMade(token: NewToken): void;
  onClose(): void;
}

/** An installation has few integrators; those beyond one page of the largest size cannot be chosen. */
const INTEGRATORS = { role: ["integrator"], is_active: true, page_size: 200 } as const;

interface Setup {
  readonly user: string;
  readonly name: string;
  readonly life: Life;
  readonly day: string;
  readonly isWhole: boolean;
  readonly scopes: readonly Action[];
}

/** For whom a token speaks, for how long, and what it may; the server asks who says so. */
export function TokenForm({ me, onMade, onClose }: TokenFormProps) {
  const [now] = useState(() => new Date());
  const [setup, setSetup] = useState<Setup>({ user: me.id, name: "", life: "90", day: dayAfter(now, 90), isWhole: false, scopes: [] });
  const change = (changes: Partial<Setup>) => setSetup((before) => ({ ...before, ...changes }));
  const integrators = useIntegrators(me);
  const actions = integrators.find(({ id }) => id === setup.user)?.actions ?? me.actions;
  const scopes = inOrder(setup.scopes.filter((scope) => actions.includes(scope)));
  const isEmpty = !setup.isWhole && scopes.length === 0;
  const proving = useMutation({ mutationFn: (given: FormData) => reauthenticate(proofIn(given)) });
  // The secret is handed on and not returned: what a mutation returns is kept for minutes.
  const making = useMutation({
    mutationFn: async () => {
      const { user, name, life, day, isWhole } = setup;
      onMade(await createToken({ user, name: name.trim(), expires_at: endOf(life, day), scopes: isWhole ? [] : scopes }));
    },
    onSettled: () => void refreshTokens(),
  });
  const error = proving.error ?? making.error;
  const errors = fieldErrors(error);
  const form = useRefusedField(error);
  return (
    <form
      ref={form} className={styles.form} aria-label="New token" data-testid="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        // Only while the form is open: nothing is made once it was cancelled.
        proving.mutate(new FormData(event.currentTarget), { onSuccess: () => making.mutate() });
      }}
    >
      {integrators.length > 0 && (
        <NativeSelect
          size="xs" label="Speaks for" description="You make tokens for yourself, and for integrators whose sites are all yours." value={setup.user} error={errors["user"]}
          onChange={(event) => change({ user: event.currentTarget.value })}
          data={[{ value: me.id, label: `${me.username} (you)` }, ...integrators.map(({ id, username }) => ({ value: id, label: username }))]}
        />
      )}
      <TextInput
        size="xs" label="Name" description="What it is for, so that you know it again." data-autofocus required withAsterisk={false} maxLength={100} autoComplete="off"
        value={setup.name} error={errors["name"]} onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <div className={styles.pair}>
        <NativeSelect
          size="xs" label="Holds for" data={[...LIVES]} value={setup.life} error={setup.life === "day" ? undefined : errors["expires_at"]}
          onChange={(event) => change({ life: event.currentTarget.value as Life })}
        />
        {setup.life === "day" && (
          <TextInput
            size="xs" type="date" label="Last day" required withAsterisk={false} min={dayAfter(now, 0)} max={dayAfter(now, LONGEST_DAYS)} value={setup.day}
            error={errors["expires_at"]} onChange={(event) => change({ day: event.currentTarget.value })}
          />
        )}
      </div>
      <Radio.Group size="xs" label="May" value={setup.isWhole ? "role" : "some"} onChange={(value) => change({ isWhole: value === "role" })}>
        <div className={styles.list}>
          <Radio size="xs" value="some" label="Only what is chosen" description="As little as its script needs." />
          <Radio size="xs" value="role" label="All that the role may" description="Also what the role is given later." />
        </div>
      </Radio.Group>
      {!setup.isWhole && (
        <Checkbox.Group size="xs" aria-label="What the token may" value={[...scopes]} error={errors["scopes"]} onChange={(chosen) => change({ scopes: chosen as Action[] })}>
          <div className={styles.columns}>
            {inOrder(actions).map((action) => <Checkbox key={action} size="xs" value={action} label={ACTION_TEXTS[action]} />)}
          </div>
        </Checkbox.Group>
      )}
      <Proof />
      {error && Object.keys(errors).length === 0 && <Problem error={error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={proving.isPending || making.isPending} disabled={isEmpty}>Make the token</BusyButton>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        {isEmpty && <span className={styles.hint}>Choose at least one thing that it may.</span>}
      </div>
    </form>
  );
}

/** For whom an administrator may make a token; others make their own only. */
function useIntegrators(me: Me) {
  const users = useQuery({ ...usersQuery({ ...INTEGRATORS, role: [...INTEGRATORS.role] }), enabled: me.actions.includes("user.manage") });
  return users.data?.results.filter(({ has_other_sites }) => !has_other_sites) ?? [];
}
