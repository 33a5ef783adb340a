import { CHANGE_VALUES } from "../state/change_view";
import { SHOWN_KINDS } from "../state/shown_changes";
import { CHANGE_STYLES, type PaintStyle } from "./overlay_style";

/** Styles by the value of a voxel of a change painting, in the order of the values: what matters more is drawn above. */
export const CHANGE_PAINT: ReadonlyMap<number, PaintStyle> = new Map(
  SHOWN_KINDS.toSorted((first, second) => CHANGE_VALUES[first] - CHANGE_VALUES[second]).map((kind) => [CHANGE_VALUES[kind], CHANGE_STYLES[kind]]),
);
