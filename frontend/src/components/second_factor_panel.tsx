import { Badge, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import {
  beginFactor, confirmFactor, fetchRecoveryCodes, removeFactor, renewRecoveryCodes, type Authenticator, type NewFactor,
} from "../server/account";
import { reauthenticate } from "../server/session";
import { authenticatorsQuery, refreshAccount, useNewCodes } from "../state/account";
import styles from "./account.module.css";
import { BusyButton } from "./busy_button";
import { fullTimeText } from "./formats";
import { useKeptPlace } from "./kept_place";
import { Loading } from "./loading";
import { Problem } from "./problem";
import { Proof, proofIn } from "./proof";
import { QrCode } from "./qr_code";
import { RecoveryCodes } from "./recovery_codes";

/** The code of an authenticator app beside the password: added, looked after, taken away. */
export function SecondFactorPanel() {
  const authenticators = useQuery(authenticatorsQuery);
  const { codes, show } = useNewCodes();
  const app = authenticators.data?.find(({ type }) => type === "totp");
  return (
    <section className={styles.panel} aria-labelledby="second-factor">
      <h2 id="second-factor">
        Authenticator app
        {authenticators.data && <Badge size="sm" variant="light" color={app ? "teal" : "gray"} data-testid="second-factor-state">{app ? "on" : "off"}</Badge>}
      </h2>
      {authenticators.isError && <Problem error={authenticators.error} onRetry={() => void authenticators.refetch()} />}
      {authenticators.isPending && <Loading of="second factor" />}
      {codes.length > 0 && <RecoveryCodes codes={codes} onKept={() => show([])} />}
      {authenticators.data && app && codes.length === 0 && (
        <Upkeep app={app} left={authenticators.data.find(({ type }) => type === "recovery_codes")?.unused_code_count ?? 0} onCodes={show} />
      )}
      {authenticators.data && !app && codes.length === 0 && <Addition onCodes={show} />}
    </section>
  );
}

function Addition({ onCodes }: { onCodes: (codes: string[]) => void }) {
  const begin = useMutation({
    mutationFn: async (password: string) => {
      await reauthenticate(password);
      return beginFactor();
    },
  });
  if (begin.data) return <Confirmation factor={begin.data} onCodes={onCodes} />;
  return (
    <>
      <p className={styles.text}>
        Whoever learns your password can then still not sign in: a code from an app on your phone is asked for too.
        Any authenticator app for time-based codes (TOTP) will do.
      </p>
      <PasswordForm action="Add a second factor" isPending={begin.isPending} error={begin.error} onSubmit={begin.mutate} />
    </>
  );
}

function Confirmation({ factor, onCodes }: { factor: NewFactor; onCodes: (codes: string[]) => void }) {
  const confirm = useMutation({
    mutationFn: async (form: FormData) => {
      await confirmFactor(String(form.get("code")).replaceAll(" ", ""));
      return fetchRecoveryCodes();
    },
    onSuccess: onCodes,
    onSettled: refreshAccount,
  });
  const place = useKeptPlace<HTMLDivElement>();
  return (
    <div ref={place} className={styles.scan}>
      <QrCode text={factor.url} label="Code to scan with an authenticator app" />
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          confirm.mutate(new FormData(event.currentTarget));
        }}
      >
        <p className={styles.text}>Scan it with the app, or type this key into it:</p>
        <code className={styles.key} data-testid="second-factor-key">{factor.secret.match(/.{1,4}/g)?.join(" ")}</code>
        <TextInput name="code" label="The code that the app shows now" autoComplete="one-time-code" inputMode="numeric" maxLength={10} required autoFocus withAsterisk={false} />
        {confirm.isError && <Problem error={confirm.error} />}
        <BusyButton type="submit" isBusy={confirm.isPending} className={styles.button}>Confirm</BusyButton>
      </form>
    </div>
  );
}

function Upkeep({ app, left, onCodes }: { app: Authenticator; left: number; onCodes: (codes: string[]) => void }) {
  const [wish, setWish] = useState<"renew" | "remove" | null>(null);
  const change = useMutation({
    mutationFn: async (password: string) => {
      await reauthenticate(password);
      if (wish === "renew") onCodes(await renewRecoveryCodes());
      else await removeFactor();
    },
    onSettled: refreshAccount,
  });
  const choose = (next: typeof wish) => {
    change.reset();
    setWish(next);
  };
  return (
    <>
      <p className={styles.text}>
        {`Added ${timeOf(app.created_at)}, ${app.last_used_at === null ? "not used yet" : `last used ${timeOf(app.last_used_at)}`}. `}
        <span data-testid="recovery-codes-left">{`${left} of 10 recovery codes are left.`}</span>
      </p>
      {wish === null
        ? (
          <div className={styles.actions}>
            <BusyButton variant="default" onClick={() => choose("renew")}>New recovery codes …</BusyButton>
            <BusyButton variant="default" onClick={() => choose("remove")}>Remove …</BusyButton>
          </div>
        )
        : (
          <PasswordForm
            action={wish === "renew" ? "Make new recovery codes" : "Remove the second factor"}
            isPending={change.isPending} error={change.error} onSubmit={change.mutate} onCancel={() => choose(null)}
          />
        )}
    </>
  );
}

interface PasswordFormProps {
  readonly action: string;
  readonly isPending: boolean;
  readonly error: unknown;
  readonly onSubmit: (password: string) => void;
  readonly onCancel?: () => void;
}

/** Changes of what opens the account need the password once more. */
function PasswordForm({ action, isPending, error, onSubmit, onCancel }: PasswordFormProps) {
  const place = useKeptPlace<HTMLFormElement>();
  return (
    <form
      ref={place} className={styles.form} aria-label={action}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(proofIn(new FormData(event.currentTarget)));
      }}
    >
      <Proof />
      {error !== null && <Problem error={error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={isPending}>{action}</BusyButton>
        {onCancel && <BusyButton variant="default" onClick={onCancel}>Cancel</BusyButton>}
      </div>
    </form>
  );
}

function timeOf(seconds: number): string {
  return fullTimeText(new Date(seconds * 1000).toISOString());
}
