import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchEvents, type AuditFilter } from "../server/audit";

/** Asked for when somebody asks: who looks at the audit is in it. */
export const auditQuery = (filter: AuditFilter) =>
  queryOptions({
    queryKey: ["audit", filter],
    queryFn: () => fetchEvents(filter),
    placeholderData: keepPreviousData,
    refetchOnReconnect: false,
  });
