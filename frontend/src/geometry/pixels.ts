/** How the bytes of one frame are pixels. Source: DICOM PS3.3 C.7.6.3 and C.11.1 (rescale). */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  readonly slope: number;
  readonly intercept: number;
  /** MONOCHROME1: the lowest value is white. */
  readonly isInverted: boolean;
}

export type StoredPixels = Uint8Array | Int8Array | Uint16Array | Int16Array;
export type Pixels = StoredPixels | Float32Array;

export class PixelError extends Error {
  override readonly name = "PixelError";
}

export function bytesOfFrame({ rows, columns, bitsAllocated }: PixelFormat): number {
  return rows * columns * (bitsAllocated / 8);
}

/** Pixels as they were stored, rows by columns; MONOCHROME1 is turned over, the lowest value for the highest, as the server reads it. */
export function storedPixelsOf(bytes: Uint8Array, format: PixelFormat): StoredPixels {
  const expected = bytesOfFrame(format);
  if (bytes.byteLength !== expected) {
    throw new PixelError(`A frame of ${format.columns} × ${format.rows} pixels has ${bytes.byteLength} bytes, it needs ${expected}.`);
  }
  const stored = typed(bytes, format);
  return format.isInverted ? turnedOver(stored, format) : stored;
}

function turnedOver(stored: StoredPixels, { bitsStored, isSigned }: PixelFormat): StoredPixels {
  const lowestPlusHighest = isSigned ? -1 : 2 ** bitsStored - 1;
  const turned = stored.slice();
  for (let at = 0; at < turned.length; at += 1) turned[at] = lowestPlusHighest - (stored[at] ?? 0);
  return turned;
}

/** The pixels in the series' own values: float32, or as stored where rescaling changes nothing. */
export function rescaled(stored: StoredPixels, { slope, intercept }: PixelFormat): Pixels {
  return slope === 1 && intercept === 0 ? stored : Float32Array.from(stored, (value) => value * slope + intercept);
}

/** Little-endian pixels; copied where the bytes do not lie on a multiple of the pixel's size. */
function typed(bytes: Uint8Array, { bitsAllocated, isSigned }: PixelFormat): StoredPixels {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  if (bitsAllocated === 8) return isSigned ? new Int8Array(buffer, byteOffset, byteLength) : aligned;
  return isSigned ? new Int16Array(buffer, byteOffset, byteLength / 2) : new Uint16Array(buffer, byteOffset, byteLength / 2);
}

/** Lowest and highest pixel. */
export function extremes(pixels: Pixels): { lowest: number; highest: number } {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of pixels) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return { lowest, highest };
}
