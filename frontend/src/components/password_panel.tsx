import { PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";

import { changePassword } from "../server/account";
import { refreshAccount } from "../state/account";
import styles from "./account.module.css";
import { BusyButton } from "./busy_button";
import { Problem } from "./problem";

export function PasswordPanel() {
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: (given: FormData) => changePassword(String(given.get("current")), String(given.get("new"))),
    onSuccess: () => form.current?.reset(),
    onSettled: refreshAccount,
  });
  return (
    <section className={styles.panel} aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form
        ref={form} className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(new FormData(event.currentTarget));
        }}
      >
        <PasswordInput name="current" label="Current password" autoComplete="current-password" required withAsterisk={false} />
        <PasswordInput name="new" label="New password" description="Twelve characters or more." autoComplete="new-password" minLength={12} required withAsterisk={false} />
        {change.isError && <Problem error={change.error} />}
        {change.isSuccess && <p className={styles.text} role="status">The password is changed. Your other sessions have ended.</p>}
        <BusyButton type="submit" variant="default" isBusy={change.isPending} className={styles.button}>Change the password</BusyButton>
      </form>
    </section>
  );
}
