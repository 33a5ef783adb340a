/** The first part of a multipart/related answer; the bytes themselves where the answer is not multipart. Source: RFC 2387. */
export function firstPart(bytes: Uint8Array, contentType: string): Uint8Array {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!/^multipart\//i.test(contentType) || !boundary) return bytes;
  const delimiter = encode(`--${boundary}`);
  const opening = indexOf(bytes, delimiter, 0);
  const header = indexOf(bytes, BLANK_LINE, opening);
  const end = indexOf(bytes, encode(`\r\n--${boundary}`), header);
  if (opening === -1 || header === -1) throw new Error(`The answer holds no part of ${boundary}.`);
  return bytes.subarray(header + BLANK_LINE.length, end === -1 ? bytes.length : end);
}

const encode = (text: string) => new TextEncoder().encode(text);
const BLANK_LINE = encode("\r\n\r\n");

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  if (from < 0) return -1;
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}
