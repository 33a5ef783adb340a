import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchCohort, type CohortQuery } from "../server/cohort";

export const cohortQuery = (query: CohortQuery) =>
  queryOptions({ queryKey: ["cohort", query], queryFn: () => fetchCohort(query), placeholderData: keepPreviousData });
