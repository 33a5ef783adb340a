/** What is drawn from black to white, in rescaled pixel values. Source: DICOM PS3.3 C.11.2.1.2. */
export interface GrayWindow {
  readonly center: number;
  readonly width: number;
}

/** MR has no absolute unit, so a preset is told relative to the series' own window. */
export interface WindowPreset {
  readonly key: string;
  readonly name: string;
  /** Centre moves by this share of the series' width. */
  readonly shift: number;
  /** Width grows by this factor. */
  readonly factor: number;
}

export const WINDOW_PRESETS: readonly WindowPreset[] = [
  { key: "1", name: "Standard", shift: 0, factor: 1 },
  { key: "2", name: "Lesion contrast", shift: 0.14, factor: 0.6 },
  { key: "3", name: "Soft", shift: 0.1, factor: 1.6 },
  { key: "4", name: "Posterior fossa", shift: -0.08, factor: 0.7 },
];

export function applyPreset(series: GrayWindow, preset: WindowPreset): GrayWindow {
  return { center: series.center + preset.shift * series.width, width: series.width * preset.factor };
}

/** Lower and upper pixel value of a window. */
export function rangeOf({ center, width }: GrayWindow): { lower: number; upper: number } {
  return { lower: center - width / 2, upper: center + width / 2 };
}

export function windowOf(lower: number, upper: number): GrayWindow {
  return { center: (lower + upper) / 2, width: upper - lower };
}

/** Air around the head is left out of the percentiles: pixels below this share of the brightest one. */
const AIR_SHARE = 0.05;

/** Where the brain, which is most of a head, lies between black and white: as in the series' own window (imaging/windowing.py). */
const BRAIN_GREY = 0.45;

/**
 * From the 2nd percentile of the pixels that are not air to where their median is mid-grey: fat may be white. Where that leaves no
 * width, it ends at the brightest; a flat slice keeps a width of 1 around its value.
 */
export function sliceWindow(pixels: ArrayLike<number>): GrayWindow {
  const values = Float32Array.from(pixels);
  const brightest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const tissue = values.filter((value) => value > brightest * AIR_SHARE).toSorted();
  if (tissue.length === 0) return { center: Number.isFinite(brightest) ? brightest : 0, width: 1 };
  const at = (share: number) => tissue[Math.round(share * (tissue.length - 1))] ?? 0;
  const [lower, brain] = [at(0.02), at(0.5)];
  const white = brain > lower ? lower + (brain - lower) / BRAIN_GREY : brightest;
  return windowOf(lower, Math.max(white, lower + 1));
}
