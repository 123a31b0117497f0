/** Base64 as .NET reads and writes it: standard alphabet, strict padding, white space ignored. */
import { hasten, spendUnits } from "../budget.ts";
import { formatError } from "../errors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Up to here our own loop beats a call into the runtime. */
const SHORT = 256;

function shortBase64(bytes: Uint8Array): string {
  let text = "";
  let i = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const three = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text +=
      ALPHABET[three >> 18]! +
      ALPHABET[(three >> 12) & 63]! +
      ALPHABET[(three >> 6) & 63]! +
      ALPHABET[three & 63]!;
  }
  if (i === bytes.length) return text;
  const two = (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  const last = i + 1 < bytes.length ? ALPHABET[(two << 2) & 63]! : "=";
  return `${text}${ALPHABET[two >> 10]!}${ALPHABET[(two >> 4) & 63]!}${last}=`;
}

export function toBase64(bytes: Uint8Array): string {
  if (bytes.length <= SHORT) return shortBase64(bytes);
  spendUnits(bytes.length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** Whole groups without white space: what nearly every long text is. */
const PLAIN = /^[A-Za-z0-9+/]*={0,2}$/;

/** @throws FormatException */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  spendUnits(text.length);
  if (text.length > SHORT && (text.length & 3) === 0 && PLAIN.test(text)) {
    const octets = Buffer.from(text, "base64");
    return new Uint8Array(octets.buffer as ArrayBuffer, octets.byteOffset, octets.length).slice();
  }
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 3);
  let length = 0;
  let bits = 0;
  let count = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    if ((i & 0xffff) === 0xffff) hasten(512);
    const unit = text.charCodeAt(i);
    if (unit === 32 || unit === 9 || unit === 10 || unit === 13) continue;
    if (unit === 61) {
      padding++;
      continue;
    }
    const value = unit < 128 ? VALUES[unit]! : -1;
    if (value < 0 || padding > 0) throw invalid();
    bits = (bits << 6) | value;
    if (++count === 4) {
      bytes[length++] = bits >> 16;
      bytes[length++] = bits >> 8;
      bytes[length++] = bits;
      bits = count = 0;
    }
  }
  if (count === 0) {
    if (padding > 0) throw invalid();
  } else if (count === 2 && padding === 2) bytes[length++] = bits >> 4;
  else if (count === 3 && padding === 1) {
    bytes[length++] = bits >> 10;
    bytes[length++] = bits >> 2;
  } else throw invalid();
  return bytes.slice(0, length);
}

function invalid(): Error {
  return formatError(
    "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an illegal character among the padding characters.",
  );
}
