import type { User } from "../server/users";
import { BusyButton } from "./busy_button";
import styles from "./outbox.module.css";
import { StateBadge, type StateWords } from "./state_badge";
import { lastSignIn, ROLE_TEXTS, waysIn } from "./user_words";

interface UserTableProps {
  readonly users: readonly User[];
  readonly isFiltered: boolean;
  onChange(user: User): void;
}

const OPEN: StateWords = { label: "Open", tone: "good", meaning: "Its owner can sign in." };
const CLOSED: StateWords = { label: "Closed", tone: "quiet", meaning: "Nobody can sign in to it." };

export function UserTable({ users, isFiltered, onChange }: UserTableProps) {
  if (users.length === 0) return <p className={styles.none}>{isFiltered ? "No account is like this." : "There is no account at your sites."}</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Users">
        <thead>
          <tr>
            <th scope="col">Username</th>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Sites</th>
            <th scope="col">Ways in</th>
            <th scope="col">Last sign-in</th>
            <th scope="col">State</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{users.map((user) => <Line key={user.id} user={user} onChange={onChange} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ user, onChange }: { user: User; onChange: (user: User) => void }) {
  const sites = user.sites.map(({ name }) => name).join(", ");
  return (
    <tr data-testid="user-row" data-active={user.is_active}>
      <td className={styles.name}>{user.username}</td>
      <td>{user.name === user.username ? "" : user.name}</td>
      <td>{ROLE_TEXTS[user.role].label}</td>
      <td>{user.has_other_sites ? `${sites} and others` : sites}</td>
      <td>{waysIn(user)}</td>
      <td>{lastSignIn(user)}</td>
      <td><StateBadge state={user.is_active ? "open" : "closed"} words={user.is_active ? OPEN : CLOSED} /></td>
      <td className={styles.right}>
        <BusyButton variant="default" size="compact-sm" onClick={() => onChange(user)} aria-label={`Manage ${user.username}`}>Manage</BusyButton>
      </td>
    </tr>
  );
}
