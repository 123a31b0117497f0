/**
 * How large an image in base64 is, from its header: PNG, JPEG, GIF, WebP. Only the octets that are looked at are decoded,
 * so a picture of 20 MB costs no more than a small one; what is no image, or lies, costs no more either.
 */
export interface ImageSize {
  /** Pixels, at least 1. */
  readonly width: number;
  readonly height: number;
}

/** `data:image/png;base64,…`; null for any other URL, or when the size cannot be told. */
export function imageSizeOfDataUrl(url: string): ImageSize | null {
  const head = /^data:[^,]{0,200};base64,/i.exec(url.slice(0, 250));
  return head === null ? null : imageSizeOfBase64(url, head[0].length);
}

/** @param from  where the base64 begins in `text`; blanks or line ends inside it are not understood */
export function imageSizeOfBase64(text: string, from = 0): ImageSize | null {
  const octets = new Octets(text, from);
  const head = octets.read(0, 30);
  if (head.length < 10) return null;
  if (head.readUInt32BE(0) === 0x89504e47) return pngSize(head);
  if (head.readUInt16BE(0) === 0xffd8) return jpegSize(octets);
  const name = head.toString("latin1", 0, 6);
  if (name === "GIF87a" || name === "GIF89a") return size(head.readUInt16LE(6), head.readUInt16LE(8));
  if (name.startsWith("RIFF") && head.length === 30 && head.toString("latin1", 8, 12) === "WEBP")
    return webpSize(head);
  return null;
}

/** Reads anywhere in base64 without decoding what lies before. */
class Octets {
  readonly #text: string;
  readonly #from: number;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#from = from;
  }

  /** The octets from `at`; fewer than `count` at the end. */
  read(at: number, count: number): Buffer {
    const group = Math.floor(at / 3);
    const skip = at - group * 3;
    const start = this.#from + group * 4;
    const end = start + Math.ceil((skip + count) / 3) * 4;
    return Buffer.from(this.#text.slice(start, end), "base64").subarray(skip, skip + count);
  }
}

/** PNG §11.2.2: IHDR comes first. */
function pngSize(head: Buffer): ImageSize | null {
  if (head.length < 24 || head.toString("latin1", 12, 16) !== "IHDR") return null;
  return size(head.readUInt32BE(16), head.readUInt32BE(20));
}

/** Segments before the frame's: metadata and thumbnails have a few dozen at most. */
const MOST_SEGMENTS = 300;

/** JPEG (ITU T.81 §B.1.1): goes from segment to segment to the frame header, SOF0 to SOF15 without DHT, JPG and DAC. */
function jpegSize(octets: Octets): ImageSize | null {
  let at = 2;
  for (let i = 0; i < MOST_SEGMENTS; i++) {
    const segment = octets.read(at, 9);
    if (segment.length < 4 || segment[0] !== 0xff) return null;
    const marker = segment[1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    if (standalone) {
      at += 2;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return segment.length < 9 ? null : size(segment.readUInt16BE(7), segment.readUInt16BE(5));
    // The end of the image, or its data before any frame.
    if (marker === 0xd9 || marker === 0xda) return null;
    const length = segment.readUInt16BE(2);
    if (length < 2) return null;
    at += 2 + length;
  }
  return null;
}

/** WebP (RFC 9649 §2): lossy, lossless, extended. */
function webpSize(head: Buffer): ImageSize | null {
  switch (head.toString("latin1", 12, 16)) {
    case "VP8 ":
      return size(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff);
    case "VP8L": {
      const bits = head.readUInt32LE(21);
      return size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case "VP8X":
      return size(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1);
    default:
      return null;
  }
}

function size(width: number, height: number): ImageSize | null {
  return width > 0 && height > 0 ? { width, height } : null;
}
