import { PasswordInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { canUsePasskeys, reauthenticateByPasskey } from "../server/passkeys";
import { authenticatorsQuery } from "../state/account";
import styles from "./account.module.css";
import { BusyButton } from "./busy_button";
import { Problem } from "./problem";

/** Somewhat less than the five minutes for which the server takes an answer: who writes for longer is asked again. */
const OPEN_FOR_MS = 285_000;

/** Who is there still: by the password, a code of the app, or a passkey; the form's field `password`, empty after a passkey. */
export function Proof() {
  const authenticators = useQuery(authenticatorsQuery);
  const has = (type: string) => authenticators.data?.some((one) => one.type === type) ?? false;
  const { reset, ...passkey } = useMutation({ mutationFn: reauthenticateByPasskey });
  useEffect(() => {
    if (!passkey.isSuccess) return;
    const timer = setTimeout(reset, OPEN_FOR_MS);
    return () => clearTimeout(timer);
  }, [passkey.isSuccess, reset]);
  if (passkey.isSuccess) return <p className={styles.text} data-testid="passkey-accepted">Your passkey was accepted.</p>;
  return (
    <>
      <PasswordInput
        name="password" label="Your password" description={has("totp") ? "Or the code that your authenticator app shows now." : undefined}
        autoComplete="current-password" required withAsterisk={false}
      />
      {has("webauthn") && canUsePasskeys() && (
        <BusyButton variant="subtle" size="compact-sm" className={styles.button} isBusy={passkey.isPending} onClick={() => passkey.mutate()}>
          Use a passkey instead
        </BusyButton>
      )}
      {passkey.isError && <Problem error={passkey.error} />}
    </>
  );
}

/** What `reauthenticate` takes of a form with a `Proof` in it. */
export function proofIn(form: FormData): string {
  return String(form.get("password") ?? "");
}
