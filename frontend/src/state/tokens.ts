import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchTokens, type TokenFilter } from "../server/tokens";
import { queryClient } from "./queries";

export const tokensQuery = (filter: TokenFilter) =>
  queryOptions({ queryKey: ["tokens", filter], queryFn: () => fetchTokens(filter), placeholderData: keepPreviousData });

export function refreshTokens(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["tokens"] });
}
