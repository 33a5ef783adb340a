import { usePanes } from "../state/panes";
import type { Command, SidebarPart } from "./command";

const PARTS: readonly { part: SidebarPart; key: string; title: string }[] = [
  { part: "lesions", key: "Shift+l", title: "Lesions at the right" },
  { part: "review", key: "Shift+r", title: "Review and comments at the right" },
  { part: "versions", key: "Shift+v", title: "Versions at the right" },
];

/** What moves between studies and between the panels around the slices. */
export const ROOM_COMMANDS: readonly Command[] = [
  { id: "queue.next", group: "Review", title: "Next unread study", keys: ["u"], run: ({ room }) => room.openNextUnread() },
  { id: "queue.worklist", group: "Review", title: "Back to the worklist", keys: ["Shift+w"], run: ({ room }) => room.openWorklist() },
  { id: "review.step", group: "Review", title: "Submit or approve: Enter confirms", keys: ["Ctrl+Enter"], run: ({ room }) => room.askReview() },
  { id: "review.comment", group: "Review", title: "New comment on the lesion or the study", keys: ["Shift+m"], run: ({ room }) => room.askComment() },
  ...PARTS.map<Command>(({ part, key, title }) => ({
    id: `room.${part}`, group: "Review", title, keys: [key], run: ({ room }) => room.togglePart(part),
  })),
  { id: "room.study", group: "View", title: "Series and priors at the left", keys: ["Shift+s"], run: ({ room }) => room.toggleStudyPanel() },
  {
    id: "room.result", group: "View", title: "Panel at the right on or off", keys: ["Shift+b"],
    run: () => usePanes.getState().showResult(!usePanes.getState().isResultShown),
  },
  { id: "room.keys", group: "View", title: "Keys and mouse", keys: ["?"], run: ({ room }) => room.showKeys() },
];
