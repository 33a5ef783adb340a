/** Numbers and times as a reader expects them: fixed digits, tabular, one dash for what is not known. */
export const UNKNOWN = "–";

const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", year: "numeric" });
const TIME_PARTS = { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" } as const;
const TIME = new Intl.DateTimeFormat("en-GB", TIME_PARTS);
/** Sweden writes days as ISO 8601 does: 2026-06-15. */
const ISO_DAY = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });
const FULL_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function dateText(date: string | null | undefined): string {
  return date ? DAY.format(new Date(`${date.slice(0, 10)}T00:00:00`)) : UNKNOWN;
}

export function timeText(moment: string | null | undefined): string {
  return moment ? TIME.format(new Date(moment)) : UNKNOWN;
}

/** A moment by the clocks of a time zone, which the page has to name. */
export function zonedTimeText(moment: string | null | undefined, timeZone: string): string {
  return moment ? new Intl.DateTimeFormat("en-GB", { ...TIME_PARTS, timeZone }).format(new Date(moment)) : UNKNOWN;
}

export function fullTimeText(moment: string | null | undefined): string {
  return moment ? FULL_TIME.format(new Date(moment)) : UNKNOWN;
}

/** Whole years from birth to a day, or to today: one more on each birthday. */
export function ageText(birthDate: string | null, day: string | null): string {
  if (!birthDate) return "";
  const until = day ?? ISO_DAY.format(new Date());
  const isBeforeBirthday = until.slice(5, 10) < birthDate.slice(5, 10);
  return `${Number(until.slice(0, 4)) - Number(birthDate.slice(0, 4)) - Number(isBeforeBirthday)} y`;
}

/** A DICOM person name, family^given, as it is spoken. */
export function nameText(name: string): string {
  const [family = "", given = ""] = name.split("^");
  return [family, given].filter(Boolean).join(", ") || "No name";
}

export function volumeText(millilitres: number): string {
  return millilitres < 10 ? millilitres.toFixed(2) : millilitres.toFixed(1);
}

export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Slice indices as a reader counts them, from 1, runs joined: 7–9, 12. */
export function sliceRangeText(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of indices.toSorted((first, second) => first - second)) {
    const last = runs.at(-1);
    if (last && index <= last[1] + 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs.map(([first, last]) => (first === last ? `${first + 1}` : `${first + 1}–${last + 1}`)).join(", ");
}
