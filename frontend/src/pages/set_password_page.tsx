import { PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "react-router";

import { BusyButton } from "../components/busy_button";
import { Entrance, EntranceForm, EntranceText } from "../components/entrance";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { detailOf, Problem } from "../components/problem";
import { ProblemError } from "../server/problem";
import { fetchLinkOwner, setPassword } from "../server/users";

/** Where a link leads to by which the owner of an account sets its password; its key stands behind the hash. */
export function SetPasswordPage() {
  usePageTitle("Set your password");
  const key = useLocation().hash.slice(1); // another one when the next link is opened in the same tab, which loads nothing anew
  const owner = useQuery({ queryKey: ["password-link", key], queryFn: () => fetchLinkOwner(key), retry: false, staleTime: Infinity, gcTime: 0 });
  const isOver = owner.error instanceof ProblemError && owner.error.status === 400;
  return (
    <Entrance>
      {owner.isPending && <Loading of="link" />}
      {isOver && <EntranceText>This link opens nothing: it was used, or has ended. Ask an administrator for another one, or <Link to="/sign-in">sign in</Link>.</EntranceText>}
      {owner.error && !isOver && <Problem error={owner.error} onRetry={() => void owner.refetch()} />}
      {owner.data && <PasswordForm key={key} username={owner.data} linkKey={key} />}
    </Entrance>
  );
}

function PasswordForm({ username, linkKey }: { username: string; linkKey: string }) {
  const navigate = useNavigate();
  const setting = useMutation({
    mutationFn: async (form: FormData) => {
      const password = String(form.get("password"));
      if (password !== form.get("again")) throw new Error("The second password is not the same as the first.");
      await setPassword(linkKey, password);
      await navigate("/sign-in?set=password", { replace: true });
    },
  });
  return (
    <EntranceForm problem={setting.error ? detailOf(setting.error) : undefined} onSubmit={setting.mutate}>
      <TextInput name="username" label="Username" value={username} readOnly autoComplete="username" />
      <PasswordInput name="password" label="New password" description="Twelve characters or more." autoComplete="new-password" minLength={12} required autoFocus withAsterisk={false} size="sm" />
      <PasswordInput name="again" label="Once more" autoComplete="new-password" minLength={12} required withAsterisk={false} size="sm" />
      <BusyButton type="submit" size="sm" fullWidth isBusy={setting.isPending}>Set the password</BusyButton>
    </EntranceForm>
  );
}
