import type { LabelVolume } from "./labels";

/**
 * Run-length codec of masks, byte for byte the server's: "PVM1", then slices, rows and columns as uint32 little-endian,
 * then runs of (uint8 value, LEB128 length) in C order. Test vectors: tests/vectors/mask_codec.json.
 */
export class MaskCodecError extends Error {
  override readonly name = "MaskCodecError";
}

const MAGIC = [0x50, 0x56, 0x4d, 0x31] as const; // PVM1
const HEADER_BYTES = 16;
/** A 1024-cubed mask is larger than any MRI; a header that asks for more is damaged, not a mask. */
const MAXIMUM_VOXELS = 2 ** 30;

export function decodeMask(bytes: Uint8Array): LabelVolume {
  const shape = shapeOfMask(bytes);
  const voxels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  let position = HEADER_BYTES;
  let filled = 0;
  while (position < bytes.length) {
    const value = bytes[position] ?? 0;
    const run = readLength(bytes, position + 1);
    if (filled + run.length > voxels.length) {
      throw new MaskCodecError(`Mask runs hold at least ${filled + run.length} voxels, the shape needs ${voxels.length}.`);
    }
    voxels.fill(value, filled, filled + run.length);
    filled += run.length;
    position = run.end;
  }
  if (filled !== voxels.length) throw new MaskCodecError(`Mask runs hold ${filled} voxels, the shape needs ${voxels.length}.`);
  return { shape, voxels };
}

export function encodeMask({ shape, voxels }: LabelVolume): Uint8Array {
  if (voxels.length !== shape[0] * shape[1] * shape[2]) {
    throw new MaskCodecError(`Mask has ${voxels.length} voxels, its shape ${shape.join(" × ")} needs another number.`);
  }
  const bytes = encodeHeader(shape);
  for (let start = 0; start < voxels.length; ) {
    const end = endOfRun(voxels, start);
    bytes.push(...encodeRun(voxels[start] ?? 0, end - start));
    start = end;
  }
  return Uint8Array.from(bytes);
}

/** What stands before the runs. */
export function encodeHeader(shape: LabelVolume["shape"]): number[] {
  return [...MAGIC, ...shape.flatMap(uint32)];
}

/** One run; runs that follow one another have different values. */
export function encodeRun(value: number, length: number): number[] {
  return [value, ...leb128(length)];
}

/** Slices, rows and columns, as the header has them. */
export function shapeOfMask(bytes: Uint8Array): [number, number, number] {
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new MaskCodecError(`Mask of ${bytes.length} bytes does not begin with a PVM1 header of ${HEADER_BYTES} bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape: [number, number, number] = [view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)];
  if (shape[0] * shape[1] * shape[2] > MAXIMUM_VOXELS) {
    throw new MaskCodecError(`Mask shape ${shape.join(" × ")} is larger than ${MAXIMUM_VOXELS} voxels.`);
  }
  return shape;
}

function readLength(bytes: Uint8Array, start: number): { length: number; end: number } {
  let length = 0;
  let scale = 1;
  for (let position = start; position < bytes.length; position += 1) {
    const byte = bytes[position] ?? 0;
    length += (byte & 0x7f) * scale;
    if (length > MAXIMUM_VOXELS) break;
    if (byte < 0x80) {
      if (length === 0) throw new MaskCodecError(`Mask run at byte ${start} has length 0.`);
      return { length, end: position + 1 };
    }
    scale *= 128;
  }
  throw new MaskCodecError(`Mask run at byte ${start} has no complete length.`);
}

function endOfRun(voxels: Uint8Array, start: number): number {
  let end = start + 1;
  while (end < voxels.length && voxels[end] === voxels[start]) end += 1;
  return end;
}

function uint32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
