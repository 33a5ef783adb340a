import { queryOptions } from "@tanstack/react-query";

import { fetchRegistrations, fetchWorkers } from "../server/workers";

/** Neither has a topic of its own on the socket. */
const REFRESH_MS = 5_000;

export const workersQuery = queryOptions({ queryKey: ["workers"], queryFn: fetchWorkers, refetchInterval: REFRESH_MS });

export const registrationsQuery = queryOptions({ queryKey: ["registrations"], queryFn: fetchRegistrations, refetchInterval: REFRESH_MS });
