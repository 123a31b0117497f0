/** Size of an image from its first octets: providers charge by pixels, and nobody should decode a picture to count. */

export interface ImageSize {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** A JPEG's size stands behind its EXIF, colour profile and thumbnail; these are looked through so far. */
const MOST_CHARACTERS = 256 * 1024;

/**
 * @param data the image in base64, without `data:…,`
 * @returns null when it is no PNG, JPEG, GIF or WebP, or is broken
 */
export function imageSize(data: string): ImageSize | null {
  const head = Buffer.from(data.slice(0, 64), "base64");
  if (head.length < 10) return null;
  if (head[0] === 0xff && head[1] === 0xd8) {
    return jpegSize(Buffer.from(data.slice(0, MOST_CHARACTERS), "base64"));
  }
  if (head.length >= 24 && head.readUInt32BE(0) === 0x89504e47) {
    return sized(head.readUInt32BE(16), head.readUInt32BE(20));
  }
  if (head.toString("latin1", 0, 4) === "GIF8") return sized(head.readUInt16LE(6), head.readUInt16LE(8));
  if (
    head.length >= 30 &&
    head.toString("latin1", 0, 4) === "RIFF" &&
    head.toString("latin1", 8, 12) === "WEBP"
  ) {
    return webpSize(head);
  }
  return null;
}

function sized(width: number, height: number): ImageSize | null {
  return width > 0 && height > 0 ? { width, height } : null;
}

/** Walks the segments to the first frame header (SOF0–SOF15 without DHT, JPG and DAC). */
function jpegSize(bytes: Buffer): ImageSize | null {
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return sized(bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5));
    }
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += standsAlone ? 2 : 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/** Lossy (`VP8 `), lossless (`VP8L`) and extended (`VP8X`) files each have it elsewhere. */
function webpSize(head: Buffer): ImageSize | null {
  const format = head.toString("latin1", 12, 16);
  if (format === "VP8 ") return sized(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff);
  if (format === "VP8L") {
    const bits = head.readUInt32LE(21);
    return sized((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
  }
  return format === "VP8X" ? sized(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1) : null;
}

/** Octets behind base64 text, without decoding it. */
export function base64Bytes(data: string): number {
  const padding = data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0;
  return Math.max(0, Math.floor((data.length * 3) / 4) - padding);
}
