/**
 * The page that somebody came from before signing in: only one of this origin, never another that an address asks for.
 * A browser reads "/\\host" as "//host", so what counts is what it makes of the address, not how that begins.
 */
export function pageAfter(next: string | null, origin: string): string {
  const page = next?.startsWith("/") && URL.canParse(next, origin) ? new URL(next, origin) : null;
  return page?.origin === origin ? page.pathname + page.search + page.hash : "/";
}
