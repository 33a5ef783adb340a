import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { revokeToken, type Token } from "../server/tokens";
import type { Me } from "../server/types";
import { refreshTokens, tokensQuery } from "../state/tokens";
import styles from "./account.module.css";
import { CarefulButton } from "./careful_button";
import { countText, fullTimeText } from "./formats";
import { Loading } from "./loading";
import { PageSteps } from "./page_steps";
import { Problem } from "./problem";
import { StateBadge } from "./state_badge";
import table from "./table.module.css";
import { TokenDialog } from "./token_dialog";
import { ACTION_TEXTS, inOrder, stateOf, TOKEN_STATES } from "./token_words";

const PAGE_SIZE = 20;

/** What speaks for the account in scripts, and for administrators also what speaks for their integrators. */
export function TokenPanel({ me }: { me: Me }) {
  const [page, turnTo] = useState(1);
  const [isAsked, ask] = useState(false);
  const tokens = useQuery(tokensQuery({ page, page_size: PAGE_SIZE, ordering: "-created" }));
  const isManager = me.actions.includes("user.manage");
  return (
    <section className={styles.panel} aria-labelledby="tokens" data-testid="token-panel">
      <h2 id="tokens">Tokens</h2>
      <p className={styles.text}>
        {`A token speaks for ${isManager ? "your account, or for an integrator of your sites," : "your account"} in a script or another system, without a password, until it expires or is revoked. What is done with it is on record under the account’s name.`}
      </p>
      {tokens.isError && <Problem error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.isPending && <Loading of="tokens" />}
      {tokens.data && <TokenTable tokens={tokens.data.results} isNamed={isManager} />}
      <PageSteps count={tokens.data?.count ?? 0} pageSize={PAGE_SIZE} page={page} onChange={turnTo} />
      <Button variant="default" className={styles.button} onClick={() => ask(true)} data-testid="new-token">New token …</Button>
      <TokenDialog isAsked={isAsked} me={me} onClose={() => ask(false)} />
    </section>
  );
}

function TokenTable({ tokens, isNamed }: { tokens: readonly Token[]; isNamed: boolean }) {
  if (tokens.length === 0) return <p className={styles.text}>There is no token.</p>;
  return (
    <div className={table.card}>
      <table className={table.table} aria-label="Tokens">
        <thead>
          <tr>
            <th scope="col">Name</th>
            {isNamed && <th scope="col">Speaks for</th>}
            <th scope="col">May</th>
            <th scope="col">Made</th>
            <th scope="col">Expires</th>
            <th scope="col">Last used</th>
            <th scope="col">State</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{tokens.map((token) => <Line key={token.id} token={token} isNamed={isNamed} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ token, isNamed }: { token: Token; isNamed: boolean }) {
  const revoking = useMutation({ mutationFn: () => revokeToken(token.id), onSettled: refreshTokens });
  const state = stateOf(token);
  return (
    <tr data-testid="token-row" data-state={state}>
      <td className={styles.named}>{token.name}</td>
      {isNamed && <td className={styles.named}>{token.username}</td>}
      <td className={styles.may}><Reach token={token} /></td>
      <td className={styles.keep}>{fullTimeText(token.created)}</td>
      <td className={styles.keep}>{fullTimeText(token.expires_at)}</td>
      <td className={styles.keep}>{token.last_used_at ? fullTimeText(token.last_used_at) : "Not yet"}</td>
      <td><StateBadge state={state} words={TOKEN_STATES[state]} /></td>
      <td className={styles.end}>
        {state === "valid" && (
          <CarefulButton
            label="Revoke …" question="Revoke this token" keep="Keep it" size="compact-sm" isBusy={revoking.isPending} testId="revoke-token"
            onSure={() => revoking.mutate()}
          />
        )}
        {revoking.isError && <Problem error={revoking.error} />}
      </td>
    </tr>
  );
}

/** No scopes mean the whole role. */
function Reach({ token: { scopes } }: { token: Token }) {
  if (scopes.length === 0) return "All that the role may";
  const texts = inOrder(scopes).map((action) => ACTION_TEXTS[action]);
  if (texts.length < 3) return texts.join(", ");
  return (
    <details>
      <summary>{countText(texts.length, "thing")}</summary>
      <ul className={styles.reach}>{texts.map((text) => <li key={text}>{text}</li>)}</ul>
    </details>
  );
}
