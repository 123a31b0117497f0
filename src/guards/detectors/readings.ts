/** The ways in which a text may be meant: as it stands, and what its spaced, encoded or mirrored parts say. */
import { fold } from "./fold.ts";

export interface Reading {
  /** Folded, lower case. */
  readonly text: string;
  /** Somebody took pains that it is not read at once. */
  readonly disguised: boolean;
}

/** Encoded parts that are looked into, and how long each may be. */
const MOST_PARTS = 16;
const LONGEST_PART = 8192;
const BASE64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,8192}={0,2}/g;
const HEX = /(?<![0-9a-fA-F])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){8,2700}/g;
const PERCENT = /(?:%[0-9a-fA-F]{2}|[\w.~-]){12,2700}/g;
/** `i g n o r e`, `i.g.n.o.r.e` */
const SPACED = /(?<![a-z])(?:[a-z][ ._*|-]){4,64}[a-z](?![a-z])/g;
/** Letters under rot13 that instructions cannot do without. */
const ROT13 =
  /\b(?:vtaber|qvfertneq|sbetrg|vafgehpgvbaf?|cebzcg|flfgrz|cerivbhf|erirny|bireevqr|wnvyoernx)\b/;
const READABLE = /^[\x09\x0a\x0d\x20-\x7e\u00a0-\u024f]{8,}$/;
/** Instructions written backwards. */
const MIRRORED = /\b(?:erongi|drageresid|tegrof|snoitcurtsni|tpmorp|suoiverp|laever)\b/;
const LEET = /[a-z][013457@$][a-z]|[013457@$][a-z]{2}/;
/** U+E0020…U+E007E: ASCII that nobody sees. */
const TAGS = /[\u{e0020}-\u{e007e}]{4,4096}/gu;

export function readings(text: string): Reading[] {
  const plain = fold(text, true).text;
  const found: Reading[] = [{ text: plain, disguised: false }];
  const add = (hidden: string): void => void found.push({ text: fold(hidden, true).text, disguised: true });
  for (const part of encodedParts(text)) add(part);
  const joined = plain.replace(SPACED, (spaced) => spaced.replace(/[ ._*|-]/g, ""));
  if (joined !== plain) add(joined);
  if (ROT13.test(plain)) add(plain.replace(/[a-z]/g, rot13));
  if (MIRRORED.test(plain)) add([...plain].toReversed().join(""));
  if (LEET.test(plain)) add(plain.replace(/[013457@$]/g, (character) => LETTERS[character]!));
  return found;
}

const LETTERS: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
};

function rot13(letter: string): string {
  return String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97);
}

function encodedParts(text: string): string[] {
  const parts: string[] = [];
  const take = (decoded: string | null): void => {
    if (decoded !== null && parts.length < MOST_PARTS) parts.push(decoded);
  };
  for (const [match] of bounded(text, BASE64)) take(base64(match));
  for (const [match] of bounded(text, HEX))
    take(readable(Buffer.from(match.replace(/0x|\\x|[ ,:]/g, ""), "hex")));
  if (text.includes("%")) for (const [match] of bounded(text, PERCENT)) take(percent(match));
  if (text.includes("\udb40"))
    for (const [match] of bounded(text, TAGS))
      take([...match].map((tag) => String.fromCharCode(tag.codePointAt(0)! - 0xe0000)).join(""));
  return parts;
}

function* bounded(text: string, form: RegExp): Generator<RegExpMatchArray> {
  let left = MOST_PARTS * 4;
  for (const match of text.matchAll(form)) {
    if (left-- === 0) return;
    yield match;
  }
}

function base64(text: string): string | null {
  if (text.length > LONGEST_PART || (/^[a-z]+$/i.test(text) === true && text.length < 24)) return null;
  return readable(Buffer.from(text, "base64"));
}

function percent(text: string): string | null {
  if (!text.includes("%")) return null;
  try {
    const decoded = decodeURIComponent(text);
    return decoded === text ? null : decoded;
  } catch {
    return null;
  }
}

/** Octets that are text; null when they are anything else. */
function readable(octets: Buffer): string | null {
  const text = octets.toString("utf8");
  return READABLE.test(text) ? text : null;
}
