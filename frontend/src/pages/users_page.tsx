import { Button, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Loading } from "../components/loading";
import { chosenOf, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { UserDialog } from "../components/user_dialog";
import { UserTable } from "../components/user_table";
import { ROLE_TEXTS, ROLES } from "../components/user_words";
import type { Me } from "../server/types";
import type { User } from "../server/users";
import { usersQuery } from "../state/users";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;
const SEARCH_DELAY_MS = 250;

const ROLE_CHOICES = ROLES.map((value) => ({ value, label: ROLE_TEXTS[value].label }));

const STATES: { value: "" | "true" | "false"; label: string }[] = [
  { value: "", label: "All" },
  { value: "true", label: "Open" },
  { value: "false", label: "Closed" },
];

/** Who may sign in at the administrator's sites, and as what. */
export function UsersPage({ me }: { me: Me }) {
  usePageTitle("Users");
  const { page, read, change } = usePageFilter();
  const [search, role, open] = [read("search"), chosenOf(ROLE_CHOICES, read("role")), chosenOf(STATES, read("open"))];
  const users = useQuery(usersQuery({
    page, page_size: PAGE_SIZE, ...(search ? { search } : {}), ...(role ? { role: [role] } : {}), ...(open ? { is_active: open === "true" } : {}),
  }));
  const [asked, ask] = useState<User | "new" | null>(null);
  return (
    <div className={styles.page} data-testid="users-page">
      <div className={styles.title}>
        <h1>Users</h1>
        <Button onClick={() => ask("new")} data-testid="new-user">New user</Button>
      </div>
      <p className={styles.lead}>Who may sign in at your sites, and as what. Accounts are closed, never deleted: what somebody did stays under their name.</p>
      <div className={styles.filters}>
        <Search text={search} onSearch={(typed) => change({ search: typed })} />
        <NativeSelect
          size="xs" aria-label="Role of the users listed" value={role} onChange={(event) => change({ role: event.currentTarget.value })}
          data={[{ value: "", label: "All roles" }, ...ROLE_CHOICES]}
        />
        <SegmentedControl
          size="xs" w="fit-content" data={STATES} value={open} aria-label="State of the users listed"
          onChange={(value) => change({ open: value })}
        />
      </div>
      {users.isError && <Problem error={users.error} onRetry={() => void users.refetch()} />}
      {users.isPending && <Loading of="users" />}
      {users.data && <UserTable users={users.data.results} isFiltered={Boolean(search || role || open)} onChange={ask} />}
      <PageSteps count={users.data?.count ?? 0} pageSize={PAGE_SIZE} page={page} onChange={(to) => change({ page: String(to) })} />
      <UserDialog asked={asked} me={me} onClose={() => ask(null)} />
    </div>
  );
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
