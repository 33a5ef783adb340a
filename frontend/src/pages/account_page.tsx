import { PasskeyPanel } from "../components/passkey_panel";
import { PasswordPanel } from "../components/password_panel";
import { usePageTitle } from "../components/page_title";
import { Notice } from "../components/problem";
import { SecondFactorPanel } from "../components/second_factor_panel";
import { SessionTable } from "../components/session_table";
import { TokenPanel } from "../components/token_panel";
import type { Me } from "../server/types";
import styles from "./plain_page.module.css";

/** What opens the account, and where it is open: for its owner. */
export function AccountPage({ me }: { me: Me }) {
  usePageTitle("Account");
  return (
    <div className={styles.page} data-testid="account-page">
      <h1>Account</h1>
      <p className={styles.lead}>{`${me.username}, ${me.role}, ${me.sites.map(({ name }) => name).join(" · ")}`}</p>
      {me.needs_second_factor && (
        <Notice tone="caution" icon="warning" title="This department requires a second factor">
          <p>Add one here; then the other pages open.</p>
        </Notice>
      )}
      <SecondFactorPanel />
      <PasskeyPanel />
      <SessionTable />
      <PasswordPanel />
      {!me.needs_second_factor && me.actions.includes("token.manage") && <TokenPanel me={me} />}
    </div>
  );
}
