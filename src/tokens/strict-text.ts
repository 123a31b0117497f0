/**
 * The two encodings of a token, read without mercy: what two readers could understand differently is refused (RFC 8725
 * §2.4, §3.1), so that what was signed is what is believed.
 */
import { type JsonObject, isJsonObject } from "../base/json-object.ts";

/**
 * Base64url without padding, white space or stray bits (RFC 7515 §2): each text of octets has exactly one form.
 *
 * @returns null when it is anything else
 */
export function readBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  // Node skips what it does not know and drops stray bits; writing it back shows both.
  return bytes.toString("base64url") === text ? bytes : null;
}

/** The byte order mark stays, so that JSON refuses it. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A JSON object in UTF-8 whose members have different names (RFC 7515 §4, RFC 7519 §4: duplicates may be refused).
 *
 * @returns null when it is anything else
 */
export function readJsonObject(bytes: Uint8Array): JsonObject | null {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && memberCount(text) === Object.keys(value).length ? value : null;
  } catch {
    return null;
  }
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN = 123;
const CLOSE = 125;

/** How many members are written in the outermost object of `text`, which is known to be good JSON. */
function memberCount(text: string): number {
  let depth = 0;
  let commas = 0;
  let isEmpty = true;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        isEmpty = false;
        for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
        break;
      case COMMA:
        if (depth === 1) commas++;
        break;
      case OPEN:
      case OPEN_ARRAY:
        depth++;
        break;
      case CLOSE:
      case CLOSE_ARRAY:
        depth--;
        break;
    }
  }
  return isEmpty ? 0 : commas + 1;
}
