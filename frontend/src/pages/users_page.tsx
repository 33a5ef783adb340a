import { Button, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";

import { Loading } from "../components/loading";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { UserDialog } from "../components/user_dialog";
import { UserTable } from "../components/user_table";
import { ROLE_TEXTS, ROLES } from "../components/user_words";
import type { Me } from "../server/types";
import type { Role, User, UserFilter } from "../server/users";
import { usersQuery } from "../state/users";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;
const SEARCH_DELAY_MS = 250;

const STATES = [
  { value: "", label: "All" },
  { value: "true", label: "Open" },
  { value: "false", label: "Closed" },
];

/** Who may sign in at the administrator's sites, and as what. */
export function UsersPage({ me }: { me: Me }) {
  usePageTitle("Users");
  const { filter, parameters, change } = useUserFilter();
  const users = useQuery(usersQuery(filter));
  const [asked, ask] = useState<User | "new" | null>(null);
  return (
    <div className={styles.page} data-testid="users-page">
      <div className={styles.title}>
        <h1>Users</h1>
        <Button onClick={() => ask("new")} data-testid="new-user">New user</Button>
      </div>
      <p className={styles.lead}>Who may sign in at your sites, and as what. Accounts are closed, never deleted: what somebody did stays under their name.</p>
      <div className={styles.filters}>
        <Search text={filter.search ?? ""} onSearch={(search) => change({ search })} />
        <NativeSelect
          size="xs" aria-label="Role of the users listed" value={filter.role?.[0] ?? ""} onChange={(event) => change({ role: event.currentTarget.value })}
          data={[{ value: "", label: "All roles" }, ...ROLES.map((value) => ({ value, label: ROLE_TEXTS[value].label }))]}
        />
        <SegmentedControl
          size="xs" w="fit-content" data={STATES} value={parameters.get("open") ?? ""} aria-label="State of the users listed"
          onChange={(open) => change({ open })}
        />
      </div>
      {users.isError && <Problem error={users.error} onRetry={() => void users.refetch()} />}
      {users.isPending && <Loading of="users" />}
      {users.data && <UserTable users={users.data.results} isFiltered={parameters.size > 0} onChange={ask} />}
      <PageSteps count={users.data?.count ?? 0} pageSize={PAGE_SIZE} page={filter.page ?? 1} onChange={(page) => change({ page: String(page) })} />
      <UserDialog asked={asked} me={me} onClose={() => ask(null)} />
    </div>
  );
}

/** Filter and page live in the address, as those of the worklist do. */
function useUserFilter() {
  const [parameters, setParameters] = useSearchParams();
  const read = (name: string) => parameters.get(name) ?? "";
  const role = ROLES.find((one) => one === read("role"));
  const filter: UserFilter = {
    page: Math.max(1, Number(read("page")) || 1),
    page_size: PAGE_SIZE,
    ...(read("search") ? { search: read("search") } : {}),
    ...(role ? { role: [role satisfies Role] } : {}),
    ...(read("open") ? { is_active: read("open") === "true" } : {}),
  };
  const change = (changes: Record<string, string>) => {
    const next = new URLSearchParams(parameters);
    if (!("page" in changes)) next.delete("page");
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    setParameters(next, { replace: true });
  };
  return { filter, parameters, change };
}

function Search({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const search = useDebouncedCallback((typed: string) => onSearch(typed.trim()), SEARCH_DELAY_MS);
  return (
    <TextInput
      size="xs" type="search" aria-label="Search users" placeholder="Username or name" defaultValue={text}
      onChange={(event) => search(event.currentTarget.value)}
    />
  );
}
