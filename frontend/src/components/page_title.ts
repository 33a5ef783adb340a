import { useEffect } from "react";

/** The browser's tab says what the page shows; a patient's name never goes there, since others see tabs. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · PlaqueView` : "PlaqueView";
  }, [title]);
}
