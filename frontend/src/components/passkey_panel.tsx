import { TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { fetchRecoveryCodes, type Authenticator } from "../server/account";
import { addPasskey, canUsePasskeys, removePasskey, renamePasskey } from "../server/passkeys";
import { reauthenticate } from "../server/session";
import { authenticatorsQuery, refreshAccount, useNewCodes } from "../state/account";
import styles from "./account.module.css";
import { browserText } from "./browser_text";
import { BusyButton } from "./busy_button";
import { fullTimeText } from "./formats";
import { useKeptPlace } from "./kept_place";
import { Problem } from "./problem";
import { Proof, proofIn } from "./proof";
import table from "./table.module.css";

type Wish = { readonly what: "add" } | { readonly what: "rename" | "remove"; readonly passkey: Authenticator };

/** Passkeys: what a computer, a phone or a security key keeps, and opens the account with by a finger, a face or a number. */
export function PasskeyPanel() {
  const passkeys = useQuery(authenticatorsQuery).data?.filter(({ type }) => type === "webauthn") ?? [];
  const [wish, setWish] = useState<Wish | null>(null);
  return (
    <section className={styles.panel} aria-labelledby="passkeys">
      <h2 id="passkeys">Passkeys</h2>
      <p className={styles.text}>
        A computer, a phone or a security key keeps a passkey and asks for your finger, your face or a number before it uses it.
        It signs you in without the password, and no other page can ask for it. With one, the password alone opens nothing.
      </p>
      {passkeys.length > 0 && (
        <div className={table.card}>
          <table className={table.table} aria-label="Passkeys">
            <thead><tr><th>Name</th><th>Added</th><th>Last used</th><th aria-label="Actions" /></tr></thead>
            <tbody>
              {passkeys.map((passkey) => <Line key={passkey.id} passkey={passkey} onWish={(what) => setWish({ what, passkey })} />)}
            </tbody>
          </table>
        </div>
      )}
      {!canUsePasskeys() && <p className={styles.text}>This browser has no passkeys for this address; they need a host name and https.</p>}
      {wish === null && canUsePasskeys() && (
        <BusyButton variant="default" className={styles.button} onClick={() => setWish({ what: "add" })}>Add a passkey …</BusyButton>
      )}
      {wish !== null && <WishForm key={`${wish.what} ${"passkey" in wish ? wish.passkey.id : ""}`} wish={wish} onEnd={() => setWish(null)} />}
    </section>
  );
}

function Line({ passkey, onWish }: { passkey: Authenticator; onWish: (what: "rename" | "remove") => void }) {
  return (
    <tr data-testid="passkey-row">
      <td>{passkey.name}</td>
      <td>{timeOf(passkey.created_at)}</td>
      <td>{passkey.last_used_at === null ? "not yet" : timeOf(passkey.last_used_at)}</td>
      <td className={styles.end}>
        <BusyButton variant="default" size="compact-xs" onClick={() => onWish("rename")}>Rename …</BusyButton>{" "}
        <BusyButton variant="default" size="compact-xs" onClick={() => onWish("remove")}>Remove …</BusyButton>
      </td>
    </tr>
  );
}

const ACTIONS = { add: "Add a passkey", rename: "Rename the passkey", remove: "Remove the passkey" } as const;

function WishForm({ wish, onEnd }: { wish: Wish; onEnd: () => void }) {
  const { show } = useNewCodes();
  const place = useKeptPlace<HTMLFormElement>();
  const doing = useMutation({
    mutationFn: async (form: FormData) => {
      await reauthenticate(proofIn(form));
      const name = String(form.get("name") ?? "").trim();
      if (wish.what === "remove") await removePasskey(wish.passkey.id ?? 0);
      else if (wish.what === "rename") await renamePasskey(wish.passkey.id ?? 0, name);
      else if (await addPasskey(name)) show(await fetchRecoveryCodes());
    },
    onSettled: refreshAccount,
  });
  return (
    <form
      ref={place} className={styles.form} aria-label={ACTIONS[wish.what]}
      onSubmit={(event) => {
        event.preventDefault();
        doing.mutate(new FormData(event.currentTarget), { onSuccess: onEnd });
      }}
    >
      {wish.what !== "remove" && (
        <TextInput
          name="name" label="Name of the passkey" required maxLength={100} withAsterisk={false} autoFocus
          defaultValue={wish.what === "rename" ? wish.passkey.name : browserText(navigator.userAgent)}
        />
      )}
      {wish.what === "remove" && <p className={styles.text}>{`“${wish.passkey.name}” opens nothing here any more.`}</p>}
      <Proof />
      {doing.isError && <Problem error={doing.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={doing.isPending}>{ACTIONS[wish.what]}</BusyButton>
        <BusyButton variant="default" onClick={onEnd}>Cancel</BusyButton>
      </div>
    </form>
  );
}

function timeOf(seconds: number): string {
  return fullTimeText(new Date(seconds * 1000).toISOString());
}
