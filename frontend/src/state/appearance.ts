import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Appearance = "light" | "dark" | "system";

/** How this browser shows the pages. A reading room is dark, so "system" is dark on the study page. */
export const useAppearance = create<{ appearance: Appearance; choose(appearance: Appearance): void }>()(
  persist((set) => ({ appearance: "system", choose: (appearance) => set({ appearance }) }), { name: "plaqueview.appearance" }),
);

export function schemeOf(appearance: Appearance, isSystemDark: boolean, isReadingRoom: boolean): "light" | "dark" {
  if (appearance !== "system") return appearance;
  return isReadingRoom || isSystemDark ? "dark" : "light";
}
