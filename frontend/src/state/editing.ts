import { create } from "zustand";

import type { Point3 } from "../geometry/affine";
import type { Component } from "../geometry/components";
import type { LesionClass } from "../geometry/labels";

/** What a drag or a click on the slice does; "none" leaves it to the viewer. */
export type EditingTool = "none" | "brush" | "eraser" | "threshold_brush" | "grow" | "split";

/** A question about one lesion that is open: why it is none, or what confirms it. */
export interface LesionQuestion {
  readonly kind: "false_positive" | "evidence";
  readonly lesion: Component;
}

export const SMALLEST_BRUSH_MM = 1;
export const LARGEST_BRUSH_MM = 40;

interface Editing {
  readonly tool: EditingTool;
  /** What brushes, growing and filling paint. */
  readonly brushClass: LesionClass;
  /** Diameter of brush and eraser. */
  readonly sizeMm: number;
  /** How far from where it began threshold brush and growing go, as a share of the series' window. */
  readonly tolerance: number;
  readonly question: LesionQuestion | null;
  /** Slice, row and column below the pointer; null while it is not above the study's own pane. */
  readonly pointer: Point3 | null;
  /** The tool, or none when it was chosen already. */
  toggleTool(tool: EditingTool): void;
  chooseTool(tool: EditingTool): void;
  chooseClass(brushClass: LesionClass): void;
  resize(sizeMm: number): void;
  setTolerance(tolerance: number): void;
  ask(question: LesionQuestion | null): void;
  point(pointer: Point3 | null): void;
}

const clamp = (value: number, lowest: number, highest: number) => Math.min(highest, Math.max(lowest, value));

export const useEditing = create<Editing>()((set) => ({
  tool: "none",
  brushClass: "active",
  sizeMm: 4,
  tolerance: 0.12,
  question: null,
  pointer: null,
  toggleTool: (tool) => set((now) => ({ tool: now.tool === tool ? "none" : tool })),
  chooseTool: (tool) => set({ tool }),
  chooseClass: (brushClass) => set({ brushClass }),
  resize: (sizeMm) => set({ sizeMm: clamp(Math.round(sizeMm * 2) / 2, SMALLEST_BRUSH_MM, LARGEST_BRUSH_MM) }),
  setTolerance: (tolerance) => set({ tolerance: clamp(tolerance, 0.02, 0.5) }),
  ask: (question) => set({ question }),
  point: (pointer) => set({ pointer }),
}));

/** The editing state at this moment, for gestures and keys. */
export function editNow(): Editing {
  return useEditing.getState();
}
