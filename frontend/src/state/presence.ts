import { useEffect, useState } from "react";

import type { FeedEvent } from "../server/feed";
import { feed, useFeedStatus } from "./live";

/** Somebody who has the study open. */
export interface Presence {
  readonly reader: string;
  readonly isEditing: boolean;
}

/** The server forgets a reader 45 s after the last word. */
const TELL_EVERY_MS = 20_000;

/** Tells that this reader has the study open, and who else has; nobody while the server is out of reach. */
export function usePresence(study: string, me: string, isEditing: boolean): readonly Presence[] {
  const [others, setOthers] = useState<readonly Presence[]>([]);
  const status = useFeedStatus();

  useEffect(() => feed.subscribe({ topic: "study", study }, (event) => {
    if (event.type === "presence.changed") setOthers(othersOf(event, me));
  }), [study, me]);

  useEffect(() => {
    if (status !== "open") return;
    const tell = () => feed.tellPresence(study, isEditing);
    tell();
    const telling = setInterval(tell, TELL_EVERY_MS);
    return () => clearInterval(telling);
  }, [study, isEditing, status]);

  return status === "open" ? others : NOBODY;
}

const NOBODY: readonly Presence[] = [];

/** Everybody but the reader who asks, those who edit first, then by name. */
export function othersOf({ readers }: Extract<FeedEvent, { type: "presence.changed" }>, me: string): readonly Presence[] {
  return readers
    .filter(({ reader }) => reader !== me)
    .map(({ reader, is_editing }) => ({ reader, isEditing: is_editing }))
    .toSorted((first, second) => Number(second.isEditing) - Number(first.isEditing) || first.reader.localeCompare(second.reader));
}
