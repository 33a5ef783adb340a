import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { Logo } from "../components/app_frame";
import { usePageTitle } from "../components/page_title";
import { detailOf } from "../components/problem";
import { giveCode, signIn } from "../server/session";
import { meQuery, queryClient } from "../state/queries";
import { pageAfter } from "../state/return_page";
import styles from "./sign_in_page.module.css";

export function SignInPage() {
  usePageTitle("Sign in");
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const [isAskedForCode, setAskedForCode] = useState(false);
  const enter = async () => {
    queryClient.removeQueries();
    await queryClient.fetchQuery(meQuery);
    await navigate(pageAfter(parameters.get("next"), window.location.origin), { replace: true });
  };
  return (
    <main className={styles.page}>
      {isAskedForCode
        ? <CodeForm onSignedIn={enter} onBack={() => setAskedForCode(false)} />
        : <PasswordForm onSignedIn={enter} onCodeNeeded={() => setAskedForCode(true)} />}
    </main>
  );
}

function PasswordForm({ onSignedIn, onCodeNeeded }: { onSignedIn: () => Promise<void>; onCodeNeeded: () => void }) {
  const signingIn = useMutation({
    mutationFn: async (form: FormData) => {
      const next = await signIn(String(form.get("username")), String(form.get("password")));
      if (next === "second factor") onCodeNeeded();
      else await onSignedIn();
    },
  });
  return (
    <SignInForm error={signingIn.error} onSubmit={signingIn.mutate}>
      <TextInput name="username" label="Username" autoComplete="username" autoCapitalize="none" required autoFocus withAsterisk={false} />
      <PasswordInput name="password" label="Password" autoComplete="current-password" required withAsterisk={false} size="sm" />
      <Button type="submit" size="sm" fullWidth loading={signingIn.isPending}>Sign in</Button>
    </SignInForm>
  );
}

function CodeForm({ onSignedIn, onBack }: { onSignedIn: () => Promise<void>; onBack: () => void }) {
  const giving = useMutation({
    mutationFn: async (form: FormData) => {
      await giveCode(String(form.get("code")).replaceAll(" ", ""));
      await onSignedIn();
    },
  });
  return (
    <SignInForm error={giving.error} onSubmit={giving.mutate}>
      <TextInput
        name="code" label="Code" description="From your authenticator app, or one of your recovery codes."
        autoComplete="one-time-code" inputMode="numeric" maxLength={20} required autoFocus withAsterisk={false}
      />
      <Button type="submit" size="sm" fullWidth loading={giving.isPending}>Sign in</Button>
      <Button variant="subtle" size="xs" fullWidth onClick={onBack}>Back to the password</Button>
    </SignInForm>
  );
}

interface SignInFormProps {
  readonly error: unknown;
  readonly onSubmit: (form: FormData) => void;
  readonly children: ReactNode;
}

function SignInForm({ error, onSubmit, children }: SignInFormProps) {
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      <div className={styles.brand}>
        <Logo size={30} />
        <h1>PlaqueView</h1>
      </div>
      {children}
      <p className={styles.problem} role="alert">{error ? detailOf(error) : ""}</p>
      <p className={styles.claim}>Research use only, not a medical device.</p>
    </form>
  );
}
