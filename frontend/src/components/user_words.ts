import type { Role, User } from "../server/users";
import { fullTimeText, timeText } from "./formats";

export const ROLE_TEXTS: Readonly<Record<Role, { readonly label: string; readonly meaning: string }>> = {
  neurologist: { label: "Neurologist", meaning: "Reads, corrects and approves." },
  admin: { label: "Administrator", meaning: "Reads as well, and manages accounts, nodes, training and models." },
  integrator: { label: "Integrator", meaning: "Another system: sends, fetches and searches, mostly by tokens. Approves nothing." },
};

export const ROLES = Object.keys(ROLE_TEXTS) as Role[];

/** How the account is opened, in one line: what there is, or that there is nothing yet. */
export function waysIn({ has_password, has_second_factor, has_identity, password_link_until }: User): string {
  const ways = [
    has_password ? "Password" : "",
    has_identity ? "Hospital account" : "",
    has_second_factor ? "Second factor" : "",
    password_link_until ? `Link until ${timeText(password_link_until)}` : "",
  ].filter(Boolean);
  return ways.join(", ") || "None yet";
}

export function lastSignIn({ last_login }: User): string {
  return last_login ? fullTimeText(last_login) : "Never";
}
