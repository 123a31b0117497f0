/** Strings, numbers and literals of JSON, cut out raw. */

/** Octets of numbers and of `true`, `false`, `null`. */
export function isTokenOctet(octet: number): boolean {
  return (
    (octet >= 0x30 && octet <= 0x39) ||
    (octet >= 0x61 && octet <= 0x7a) ||
    octet === 0x2e ||
    octet === 0x2d ||
    octet === 0x2b ||
    octet === 0x45
  );
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @returns undefined when it is none */
export function tokenValue(token: string): number | boolean | null | undefined {
  if (token === "null") return null;
  if (token === "true") return true;
  if (token === "false") return false;
  return NUMBER.test(token) ? Number(token) : undefined;
}

/**
 * @param cut the end is missing: what cannot be decoded there is left out
 * @returns null when it is no JSON string
 */
export function decodeString(
  octets: Buffer,
  from: number,
  to: number,
  escaped: boolean,
  cut: boolean,
): string | null {
  if (cut) to = wholeCharacters(octets, from, to);
  const raw = octets.toString("utf8", from, to);
  if (!escaped) return raw;
  // The longest piece of an escape that can hang at the end is `\u123`.
  for (let end = raw.length; end >= 0 && end >= raw.length - (cut ? 5 : 0); end--) {
    try {
      return JSON.parse(`"${raw.slice(0, end)}"`) as string;
    } catch {
      // Shorter.
    }
  }
  return null;
}

/** The end without a character of which octets are missing. */
function wholeCharacters(octets: Buffer, from: number, to: number): number {
  for (let back = 1; back <= 3 && to - back >= from; back++) {
    const octet = octets[to - back]!;
    if ((octet & 0xc0) === 0x80) continue;
    const needed = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc0 ? 2 : 1;
    return needed > back ? to - back : to;
  }
  return to;
}
