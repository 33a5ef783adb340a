import { useEffect, useEffectEvent } from "react";

import type { FeedEvent, Topic } from "../server/feed";
import { feed } from "./live";
import { queryClient } from "./queries";

/** On a busy site many studies change in a second; what a page shows is fetched again no more often than this. */
const REFRESH_MS = 1_000;

const WORKLIST: Topic = { topic: "worklist" };

/** What has to be fetched again; nothing below the key where it is exact. */
interface Stale {
  readonly queryKey: readonly string[];
  readonly exact?: true;
}

/** A patient's studies, their hold and their course follow the server while the component is shown. */
export function useLivePatient(id: string, studies: readonly string[]): void {
  const topics = [WORKLIST, ...studies.map((study): Topic => ({ topic: "study", study }))];
  useLive(topics, (event) => staleOfPatient({ id, studies }, event));
}

/** The double readings follow the server while the component is shown. */
export function useLiveDoubleReadings(): void {
  useLive([WORKLIST], ({ type }) => (OF_READINGS.has(type) ? { queryKey: ["double-readings"] } : null));
}

const OF_READINGS: ReadonlySet<FeedEvent["type"]> = new Set(["caught_up", "study.changed", "annotation.changed"]);
const OF_COURSE: ReadonlySet<FeedEvent["type"]> = new Set([...OF_READINGS, "registration.changed", "enhancement.changed"]);

/** What of a patient's page an event may have changed. A study that the page does not know may be a new one of the patient. */
export function staleOfPatient({ id, studies }: { id: string; studies: readonly string[] }, event: FeedEvent): Stale | null {
  const queryKey = ["patient", id];
  const isOfPatient = event.type === "caught_up" || ("study" in event && event.study !== undefined && studies.includes(event.study));
  if (isOfPatient && OF_COURSE.has(event.type)) return { queryKey };
  return event.type === "study.changed" || (isOfPatient && event.type === "job.progress") ? { queryKey, exact: true } : null;
}

/** Hears the topics while the component is shown; what their events made stale is fetched again together. */
function useLive(topics: readonly Topic[], staleBy: (event: FeedEvent) => Stale | null): void {
  const hear = useEffectEvent(staleBy);
  const told = JSON.stringify(topics);
  useEffect(() => {
    const stale = new Map<string, Stale>();
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      waiting = undefined;
      for (const filter of stale.values()) void queryClient.invalidateQueries(filter);
      stale.clear();
    };
    const leaving = (JSON.parse(told) as Topic[]).map((topic) => feed.subscribe(topic, (event) => {
      const found = hear(event);
      if (!found) return;
      stale.set(JSON.stringify(found), found);
      waiting ??= setTimeout(refresh, REFRESH_MS);
    }));
    return () => {
      clearTimeout(waiting);
      for (const leave of leaving) leave();
    };
  }, [told]);
}
