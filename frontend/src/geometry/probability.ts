/** Stops of the heat map from the least to the most probable: dark violet, magenta, orange, light yellow; brightness rises all the way. */
const STOPS: readonly (readonly [number, number, number])[] = [[59, 15, 112], [183, 55, 121], [251, 135, 97], [254, 223, 143]];

/** How much of the slice shows through. */
const OPACITY = 0.62;

/** Colour of every probability from 0 to 255, as canvas pixels hold it: red, green, blue, alpha. */
export function heatColors(): Uint8ClampedArray {
  const colors = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value += 1) {
    const place = (value / 255) * (STOPS.length - 1);
    const [low, high] = [STOPS[Math.floor(place)], STOPS[Math.ceil(place)]];
    const share = place - Math.floor(place);
    for (const channel of [0, 1, 2] as const) {
      colors[value * 4 + channel] = Math.round((low?.[channel] ?? 0) * (1 - share) + (high?.[channel] ?? 0) * share);
    }
    colors[value * 4 + 3] = Math.round(255 * OPACITY);
  }
  return colors;
}

/** Paints what is at least as probable as the threshold, 0 to 1, into pixels of red, green, blue, alpha; the rest is clear. */
export function paintHeat(picture: Uint8Array, threshold: number, colors: Uint8ClampedArray, pixels: Uint8ClampedArray): void {
  const least = Math.max(1, Math.ceil(threshold * 255));
  pixels.fill(0);
  for (let at = 0; at < picture.length; at += 1) {
    const value = picture[at] ?? 0;
    if (value < least) continue;
    for (let channel = 0; channel < 4; channel += 1) pixels[at * 4 + channel] = colors[value * 4 + channel] ?? 0;
  }
}
