/** What kind of character a UTF-16 unit is, as .NET's `char` tells it, and case mapping that keeps lengths. */
import { spendUnits } from "../budget.ts";

/** `char.IsWhiteSpace`. JavaScript's own idea differs: it knows U+FEFF and not U+0085. */
export function isWhiteSpace(unit: number): boolean {
  if (unit < 128) return unit === 32 || (unit >= 9 && unit <= 13);
  if (unit === 0x85 || unit === 0xa0) return true;
  if (unit < 0x1680) return false;
  return (
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** Whether the text is empty or white space only. */
export function isBlank(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isWhiteSpace(text.charCodeAt(i))) return false;
  return true;
}

/**
 * `ToUpperInvariant`: every code point for itself; those whose upper case is longer (`ß`) stay. The platform's mapping
 * does for all texts whose length it keeps, for no character gets shorter.
 */
export function toUpper(text: string): string {
  const whole = text.toUpperCase();
  if (whole.length === text.length && !text.includes("ı")) return whole;
  spendUnits(text.length);
  let mapped = "";
  for (const c of text) {
    const upper = c === "ı" ? c : c.toUpperCase();
    mapped += upper.length === c.length ? upper : c;
  }
  return mapped;
}

/** `ToLowerInvariant`: no final sigma, no dot over i. */
export function toLower(text: string): string {
  const whole = text.toLowerCase();
  if (whole.length === text.length && !text.includes("Σ")) return whole;
  spendUnits(text.length);
  let mapped = "";
  for (const c of text) {
    const lower = c.toLowerCase();
    mapped += lower.length === c.length ? lower : c;
  }
  return mapped;
}

/** A test of one code unit against a Unicode property; a lone surrogate is only ever a surrogate. */
export function hasProperty(property: RegExp): (unit: number) => boolean {
  return (unit) => property.test(String.fromCharCode(unit));
}
