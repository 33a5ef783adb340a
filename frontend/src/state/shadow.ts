import { queryOptions } from "@tanstack/react-query";

import { fetchReadings, fetchShadow } from "../server/shadow";

/** Readings come behind everything else and have no topic of their own on the socket. */
const REFRESH_MS = 10_000;

export const shadowQuery = (model: string) =>
  queryOptions({ queryKey: ["shadow", model], queryFn: () => fetchShadow(model), refetchInterval: REFRESH_MS });

export const readingsQuery = (model: string) =>
  queryOptions({ queryKey: ["shadow", model, "readings"], queryFn: () => fetchReadings(model), refetchInterval: REFRESH_MS });
