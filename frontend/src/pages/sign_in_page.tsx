import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";

import { Logo } from "../components/app_frame";
import { usePageTitle } from "../components/page_title";
import { detailOf } from "../components/problem";
import { signIn } from "../server/session";
import { meQuery, queryClient } from "../state/queries";
import { pageAfter } from "../state/return_page";
import styles from "./sign_in_page.module.css";

export function SignInPage() {
  usePageTitle("Sign in");
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const signingIn = useMutation({
    mutationFn: async (form: FormData) => {
      await signIn(String(form.get("username")), String(form.get("password")));
      queryClient.removeQueries();
      await queryClient.fetchQuery(meQuery);
    },
    onSuccess: () => navigate(pageAfter(parameters.get("next"), window.location.origin), { replace: true }),
  });

  return (
    <main className={styles.page}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          signingIn.mutate(new FormData(event.currentTarget));
        }}
      >
        <div className={styles.brand}>
          <Logo size={30} />
          <h1>PlaqueView</h1>
        </div>
        <TextInput name="username" label="Username" autoComplete="username" autoCapitalize="none" required autoFocus withAsterisk={false} />
        <PasswordInput name="password" label="Password" autoComplete="current-password" required withAsterisk={false} size="sm" />
        <p className={styles.problem} role="alert">{signingIn.isError ? detailOf(signingIn.error) : ""}</p>
        <Button type="submit" size="sm" fullWidth loading={signingIn.isPending}>Sign in</Button>
        <p className={styles.claim}>Research use only, not a medical device.</p>
      </form>
    </main>
  );
}
