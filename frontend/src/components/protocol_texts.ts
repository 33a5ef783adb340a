import type { Protocol } from "../server/types";
import { countText } from "./formats";

type Verdict = Protocol["findings"][number]["verdict"];
type Comparison = Protocol["comparison"];

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = { passed: "passed", warning: "warning", not_known: "not known" };

/** Told apart without colour. */
export const VERDICT_MARKS: Readonly<Record<Verdict, string>> = { passed: "✓", warning: "!", not_known: "?" };

/** How many checks ended how, the worst first. */
export function protocolSummary(findings: readonly { readonly verdict: Verdict }[]): string {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const [warnings, unknown, passed] = [count("warning"), count("not_known"), count("passed")];
  const parts = [warnings > 0 && countText(warnings, "warning", "warnings"), unknown > 0 && `${unknown} not known`, passed > 0 && `${passed} passed`];
  return parts.filter(Boolean).join(", ");
}

/** Why numbers of the two are not comparable, and what differs; nothing while nothing is known to. */
export function cautionsOf(comparison: Comparison): string[] {
  const parts = differingOf(comparison).map(({ title, found, prior }) => `${title}: ${found}, then ${prior}.`);
  return comparison && parts.length > 0 ? [comparison.caution, ...parts] : [];
}

/** The parts of two protocols that are known to differ. */
export function differingOf(comparison: Comparison): NonNullable<Comparison>["differences"] {
  return (comparison?.differences ?? []).filter(({ verdict }) => verdict === "warning");
}
