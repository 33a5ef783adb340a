/** How the bytes of one frame are pixels. Source: DICOM PS3.3 C.7.6.3 and C.11.1 (rescale). */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 8 | 16;
  readonly isSigned: boolean;
  readonly slope: number;
  readonly intercept: number;
  /** MONOCHROME1: the lowest value is white. */
  readonly isInverted: boolean;
}

export type Pixels = Uint8Array | Int8Array | Uint16Array | Int16Array | Float32Array;

export class PixelError extends Error {
  override readonly name = "PixelError";
}

export function bytesOfFrame({ rows, columns, bitsAllocated }: PixelFormat): number {
  return rows * columns * (bitsAllocated / 8);
}

/** Rescaled pixels, rows by columns: float32, or the stored type where rescaling changes nothing. */
export function pixelsOf(bytes: Uint8Array, format: PixelFormat): Pixels {
  const expected = bytesOfFrame(format);
  if (bytes.byteLength !== expected) {
    throw new PixelError(`A frame of ${format.columns} × ${format.rows} pixels has ${bytes.byteLength} bytes, it needs ${expected}.`);
  }
  const stored = storedPixels(bytes, format);
  if (format.slope === 1 && format.intercept === 0) return stored;
  return Float32Array.from(stored, (value) => value * format.slope + format.intercept);
}

/** Little-endian pixels; copied where the bytes do not lie on a multiple of the pixel's size. */
function storedPixels(bytes: Uint8Array, { bitsAllocated, isSigned }: PixelFormat): Exclude<Pixels, Float32Array> {
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
