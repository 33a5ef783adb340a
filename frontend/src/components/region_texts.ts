import type { Region } from "../server/types";

export const REGION_TEXTS: Readonly<Record<Region, string>> = {
  periventricular: "Periventricular",
  juxtacortical: "Juxtacortical or cortical",
  infratentorial: "Infratentorial",
  deep_white_matter: "Deep white matter",
  not_determined: "Region not determined",
};
