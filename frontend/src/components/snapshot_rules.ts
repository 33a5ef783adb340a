import type { SnapshotRules } from "../server/training";

export const SOURCES = [
  { value: "post_gadolinium", label: "T1 after gadolinium" },
  { value: "prior", label: "A prior study" },
  { value: "reader_opinion", label: "A reader's opinion" },
  { value: "ai_confirmed", label: "A reader who agrees with the network" },
] as const;

export type Source = (typeof SOURCES)[number]["value"];

/** Why the dataset holds what it holds, as it was asked for. */
export function rulesText(sites: readonly string[], rules: SnapshotRules): string {
  const { studied_from, studied_until, scanners = [], minimum_reviews = 0, needs_quality, trusted_sources = [] } = rules;
  const parts = [
    sites.join(", "),
    studied_from && `from ${studied_from}`,
    studied_until && `until ${studied_until}`,
    scanners.length > 0 && `scanner ${scanners.join(" or ")}`,
    minimum_reviews > 0 && `at least ${minimum_reviews} ${minimum_reviews === 1 ? "person" : "people"} behind a version`,
    needs_quality && "FLAIR quality measured and good",
    trusted_sources.length < SOURCES.length && `classes by ${trusted_sources.map((one) => one.replaceAll("_", " ")).join(", ") || "nobody"}`,
  ];
  return parts.filter(Boolean).join("; ");
}
