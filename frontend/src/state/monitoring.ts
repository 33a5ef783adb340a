import { queryOptions } from "@tanstack/react-query";

import { fetchMonitoring } from "../server/monitoring";

export const monitoringQuery = queryOptions({ queryKey: ["monitoring"], queryFn: fetchMonitoring });
