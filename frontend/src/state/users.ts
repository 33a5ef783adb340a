import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchUsers, type UserFilter } from "../server/users";
import { queryClient } from "./queries";

export const usersQuery = (filter: UserFilter) =>
  queryOptions({ queryKey: ["users", filter], queryFn: () => fetchUsers(filter), placeholderData: keepPreviousData });

export function refreshUsers(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["users"] });
}
