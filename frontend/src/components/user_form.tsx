import { Button, Checkbox, Radio, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import type { Me } from "../server/types";
import { changeUser, createUser, type Role, type User } from "../server/users";
import { refreshUsers } from "../state/users";
import { BusyButton } from "./busy_button";
import styles from "./node_form.module.css";
import { fieldErrors } from "./node_setup";
import { Problem } from "./problem";
import { Proof, proofIn } from "./proof";
import { useRefusedField } from "./refused_field";
import { ROLE_TEXTS, ROLES } from "./user_words";

interface UserFormProps {
  /** Null for one that is new. */
  readonly user: User | null;
  readonly me: Me;
  /** What else can be done with the account. */
  readonly children?: ReactNode;
  onSaved(user: User): void;
  onClose(): void;
}

interface Setup {
  readonly username: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly role: Role;
  readonly sites: readonly string[];
}

function setupOf(user: User | null, me: Me): Setup {
  if (!user) return { username: "", first_name: "", last_name: "", role: "neurologist", sites: me.sites.length === 1 ? me.sites.map(({ id }) => id) : [] };
  const { username, first_name, last_name, role, sites } = user;
  return { username, first_name, last_name, role, sites: sites.map(({ id }) => id) };
}

/** Who somebody is, what they may do, and whose patients they see; the server asks who says so. */
export function UserForm({ user, me, children, onSaved, onClose }: UserFormProps) {
  const [setup, setSetup] = useState(() => setupOf(user, me));
  const change = (changes: Partial<Setup>) => setSetup((before) => ({ ...before, ...changes }));
  const { username, ...kept } = setup;
  const saving = useMutation({
    mutationFn: (given: FormData) => {
      const asked = { ...kept, sites: [...kept.sites] };
      return user ? changeUser(user.id, asked, proofIn(given)) : createUser({ ...asked, username }, proofIn(given));
    },
    onSettled: refreshUsers,
  });
  const errors = fieldErrors(saving.error);
  const form = useRefusedField(saving.error);
  return (
    <form
      ref={form} className={styles.form} aria-label={user ? `User ${user.username}` : "New user"} data-testid="user-form"
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(new FormData(event.currentTarget), { onSuccess: onSaved });
      }}
    >
      {!user && (
        <TextInput
          size="xs" label="Username" description="What its owner signs in with. It stays." data-autofocus maxLength={150} required withAsterisk={false} autoCapitalize="none" autoComplete="off"
          value={username} error={errors["username"]} onChange={(event) => change({ username: event.currentTarget.value })}
        />
      )}
      <div className={styles.pair}>
        <TextInput
          size="xs" label="First name" maxLength={150} autoComplete="off" value={setup.first_name} error={errors["first_name"]}
          onChange={(event) => change({ first_name: event.currentTarget.value })}
        />
        <TextInput
          size="xs" label="Last name" maxLength={150} autoComplete="off" value={setup.last_name} error={errors["last_name"]}
          onChange={(event) => change({ last_name: event.currentTarget.value })}
        />
      </div>
      <Radio.Group size="xs" label="Role" value={setup.role} error={errors["role"]} onChange={(role) => change({ role: role as Role })}>
        <div className={styles.list}>
          {ROLES.map((role) => <Radio key={role} size="xs" value={role} label={ROLE_TEXTS[role].label} description={ROLE_TEXTS[role].meaning} />)}
        </div>
      </Radio.Group>
      {me.sites.length > 1 && (
        <Checkbox.Group size="xs" label="Sites whose patients the account sees" value={[...setup.sites]} error={errors["sites"]} onChange={(sites) => change({ sites })}>
          <div className={styles.choices}>
            {me.sites.map(({ id, name }) => <Checkbox key={id} size="xs" value={id} label={name} />)}
          </div>
        </Checkbox.Group>
      )}
      {user && user.role !== setup.role && <p className={styles.note}>Tokens that were made for the role {ROLE_TEXTS[user.role].label} end.</p>}
      <Proof />
      {saving.isError && Object.keys(errors).length === 0 && <Problem error={saving.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={saving.isPending}>{user ? "Save" : "Make the account"}</BusyButton>
        <Button variant="default" onClick={onClose}>Cancel</Button>
      </div>
      {children && <div className={styles.others}>{children}</div>}
    </form>
  );
}
