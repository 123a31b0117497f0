/**
 * The beginning of a prompt as a number, for the pool algorithm `promptPrefix`: requests that begin alike get the same one,
 * and go where the provider's prompt cache is warm. What counts are the first octets of those members of the JSON body
 * that a model reads, in the order in which they stand; what comes before them (`model`, `temperature`) and what
 * follows (`stream`) does not. A body that is no JSON object counts from its first octet.
 *
 * The body is not parsed: one pass over its octets finds the members, and ends when enough of them has been seen.
 */
import { createHash } from "node:crypto";

/** What providers call the parts of a prompt: OpenAI, Anthropic, Gemini, Bedrock. */
const PROMPT = new Set([
  "messages",
  "input",
  "instructions",
  "prompt",
  "system",
  "systemInstruction",
  "system_instruction",
  "contents",
  "tools",
]);
const LONGEST_NAME = 24;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * @param prefixBytes octets that count
 * @returns 32 bits, or null for an empty body
 */
export function promptKey(body: Uint8Array, prefixBytes: number): number | null {
  if (body.length === 0) return null;
  const octets = Buffer.from(body.buffer, body.byteOffset, body.length);
  const hash = createHash("sha1");
  if (!hashPrompt(octets, prefixBytes, (part) => void hash.update(part)))
    hash.update(octets.subarray(0, prefixBytes));
  return hash.digest().readUInt32BE(0);
}

/** @returns whether there was anything that a model reads */
function hashPrompt(octets: Buffer, prefixBytes: number, add: (part: Buffer) => void): boolean {
  let at = skipSpace(octets, 0);
  if (octets[at] !== OPEN_BRACE) return false;
  at++;
  let left = prefixBytes;
  while (left > 0) {
    at = skipSpace(octets, at);
    if (octets[at] === COMMA) at = skipSpace(octets, at + 1);
    if (octets[at] !== QUOTE) break;
    const afterName = endOfString(octets, at);
    const name =
      afterName - at - 2 > LONGEST_NAME
        ? ""
        : octets.toString("latin1", at + 1, Math.max(at + 1, afterName - 1));
    at = skipSpace(octets, afterName);
    if (octets[at] !== COLON) break;
    const from = skipSpace(octets, at + 1);
    at = endOfValue(octets, from);
    if (at <= from) break;
    if (!PROMPT.has(name)) continue;
    const part = octets.subarray(from, Math.min(at, from + left));
    add(part);
    left -= part.length;
  }
  return left < prefixBytes;
}

function skipSpace(octets: Buffer, from: number): number {
  let at = from;
  while (at < octets.length && (octets[at] === 0x20 || (octets[at]! >= 0x09 && octets[at]! <= 0x0d))) at++;
  return at;
}

/** @param from where its quote is @returns behind the closing one, or the end of what there is */
function endOfString(octets: Buffer, from: number): number {
  for (let at = from + 1; ; at++) {
    at = octets.indexOf(QUOTE, at);
    if (at < 0) return octets.length;
    let escapes = 0;
    while (octets[at - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function endOfValue(octets: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < octets.length; at++) {
    switch (octets[at]) {
      case QUOTE:
        at = endOfString(octets, at) - 1;
        if (depth === 0) return at + 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      case COMMA:
        if (depth === 0) return at;
    }
  }
  return octets.length;
}

/** How much a member wants a key: the highest wins, in proportion to weights (weighted rendezvous hashing). */
export function affinityOf(key: number, seed: number, weight: number): number {
  // The finaliser of MurmurHash3: each bit of both goes into all.
  let h = key ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = (h ^ (h >>> 16)) >>> 0;
  return -weight / Math.log((h + 0.5) / 0x1_0000_0000);
}

/** A member's own number, from what it is called. */
export function seedOf(id: string): number {
  return createHash("sha1").update(id.toLowerCase()).digest().readUInt32BE(0) | 1;
}
