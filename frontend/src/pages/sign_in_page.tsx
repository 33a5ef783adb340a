import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { BusyButton } from "../components/busy_button";
import { Entrance, EntranceForm, EntranceHint, EntranceText } from "../components/entrance";
import { usePageTitle } from "../components/page_title";
import { detailOf } from "../components/problem";
import { canUsePasskeys, giveSecondPasskey, signInByPasskey } from "../server/passkeys";
import { fetchSecondStep, giveCode, signIn, type SecondStep } from "../server/session";
import { meQuery, queryClient, signInQuery } from "../state/queries";
import { pageAfter } from "../state/return_page";
import { forgetReader } from "../state/sign_out";

/** Why somebody came back from the hospital's page without being signed in. */
const REFUSALS: Readonly<Record<string, string>> = {
  no_account: "There is no account here of the name that the hospital knows you by. An administrator makes one.",
  other_identity: "The account of your name belongs to another identity of the hospital. Ask an administrator.",
  cancelled: "You turned back at the hospital's page.",
  provider: "The hospital's page cannot be used now. Try again, or sign in with a password.",
};

export function SignInPage() {
  usePageTitle("Sign in");
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const [step, setStep] = useState<SecondStep>(null);
  const next = pageAfter(parameters.get("next"), window.location.origin);
  const enter = async () => {
    forgetReader();
    await queryClient.fetchQuery(meQuery);
    await navigate(next, { replace: true });
  };
  useEffect(() => {
    fetchSecondStep().then(setStep, () => undefined);
  }, []);
  return (
    <Entrance>
      {parameters.get("set") === "password" && !step && <EntranceText>Your password is set. Sign in with it.</EntranceText>}
      {step
        ? <CodeForm step={step} onSignedIn={enter} onBack={() => setStep(null)} />
        : <PasswordForm next={next} refusal={REFUSALS[parameters.get("refused") ?? ""]} onSignedIn={enter} onCodeNeeded={setStep} />}
      {!step && <EntranceHint>Forgotten your password? An administrator makes you a link to set another.</EntranceHint>}
    </Entrance>
  );
}

interface PasswordFormProps {
  readonly next: string;
  readonly refusal: string | undefined;
  readonly onSignedIn: () => Promise<void>;
  readonly onCodeNeeded: (step: SecondStep) => void;
}

function PasswordForm({ next, refusal, onSignedIn, onCodeNeeded }: PasswordFormProps) {
  const offer = useQuery(signInQuery);
  const openid = offer.data?.openid;
  const signingIn = useMutation({
    mutationFn: async (form: FormData) => {
      const step = await signIn(String(form.get("username")), String(form.get("password")));
      if (step) onCodeNeeded(step);
      else await onSignedIn();
    },
  });
  const byPasskey = useMutation({ mutationFn: () => signInByPasskey().then(onSignedIn), onMutate: () => signingIn.reset() });
  const problem = [signingIn.error, byPasskey.error].find(Boolean);
  return (
    <EntranceForm problem={problem ? detailOf(problem) : refusal} onSubmit={signingIn.mutate}>
      <TextInput name="username" label="Username" autoComplete="username" autoCapitalize="none" required autoFocus withAsterisk={false} />
      <PasswordInput name="password" label="Password" autoComplete="current-password" required withAsterisk={false} size="sm" />
      <BusyButton type="submit" size="sm" fullWidth isBusy={signingIn.isPending}>Sign in</BusyButton>
      {canUsePasskeys() && (
        <BusyButton variant="default" size="sm" fullWidth isBusy={byPasskey.isPending} onClick={() => byPasskey.mutate()}>Sign in with a passkey</BusyButton>
      )}
      {openid && (
        <Button component="a" href={`${openid.url}?next=${encodeURIComponent(next)}`} variant="default" size="sm" fullWidth data-testid="openid">
          {`Sign in with ${openid.name}`}
        </Button>
      )}
    </EntranceForm>
  );
}

function CodeForm({ step, onSignedIn, onBack }: { step: readonly string[]; onSignedIn: () => Promise<void>; onBack: () => void }) {
  const byPasskey = useMutation({ mutationFn: () => giveSecondPasskey().then(onSignedIn) });
  const giving = useMutation({
    mutationFn: async (form: FormData) => {
      await giveCode(String(form.get("code")).replaceAll(" ", ""));
      await onSignedIn();
    },
  });
  const problem = [giving.error, byPasskey.error].find(Boolean);
  return (
    <EntranceForm problem={problem ? detailOf(problem) : undefined} onSubmit={giving.mutate}>
      <TextInput
        name="code" label="Code" description="From your authenticator app, or one of your recovery codes."
        autoComplete="one-time-code" inputMode="numeric" maxLength={20} required autoFocus withAsterisk={false}
      />
      <BusyButton type="submit" size="sm" fullWidth isBusy={giving.isPending}>Sign in</BusyButton>
      {step.includes("webauthn") && canUsePasskeys() && (
        <BusyButton variant="default" size="sm" fullWidth isBusy={byPasskey.isPending} onClick={() => byPasskey.mutate()}>Use a passkey instead</BusyButton>
      )}
      <Button variant="subtle" size="xs" fullWidth onClick={onBack}>Back to the password</Button>
    </EntranceForm>
  );
}
