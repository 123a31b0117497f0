/** Octets that nobody knows the form of, as text that a guard can read. Nothing is lost that could be words. */

/** Runs of this length without a blank are encoded data, no words. */
const DATA_RUN = /[A-Za-z0-9+/_-]{1024,}={0,2}/g;

/**
 * The characters of a body: by its charset, by its byte order mark, or by where its zeros are (JSON readers take UTF-16 and
 * UTF-32 without being told, RFC 4627 §3).
 */
export function decodeText(bytes: Uint8Array, charset: string | null): string {
  const wide = wideEncoding(bytes);
  if (wide === "utf-32") return new TextDecoder().decode(bytes.filter((octet) => octet !== 0));
  return decoderFor(wide ?? charset).decode(bytes);
}

function decoderFor(label: string | null): typeof utf8 {
  if (label === null || /^utf-?8$/i.test(label)) return utf8;
  try {
    return new TextDecoder(label);
  } catch {
    return utf8;
  }
}

/** `fatal: false`: a broken character must not hide the words around it. */
const utf8 = new TextDecoder();

function wideEncoding(bytes: Uint8Array): "utf-16le" | "utf-16be" | "utf-32" | null {
  if (bytes.length < 2) return null;
  const [a, b, c, d] = bytes as unknown as readonly number[];
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return c === 0 && d === 0 ? "utf-32" : "utf-16le";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return "utf-16be";
  return a === 0 && b === 0 ? "utf-32" : null;
}

/**
 * Text with JSON's escapes undone.
 *
 * @param withoutData encoded data is left out: for answers, which nobody writes to deceive the gateway
 */
export function readableText(text: string, withoutData: boolean): string {
  const words = withoutData && text.length >= 1024 ? text.replace(DATA_RUN, " ") : text;
  return words.includes("\\") ? unescaped(words) : words;
}

/** `\n`, `\"`, `\u0062` of JSON; what is no escape stays as it is. */
export function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([bfnrt"\\/]))/g, (_, hex?: string, letter?: string) =>
    hex === undefined ? (ESCAPES[letter!] ?? letter!) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Base64 that holds text; null when it holds anything else. */
export function textInBase64(value: string): string | null {
  if (!/^[A-Za-z0-9+/_-]+={0,2}\s*$/.test(value.slice(0, 4096))) return null;
  if (!isText(Buffer.from(value.slice(0, 1024), "base64"))) return null;
  const octets = Buffer.from(value, "base64");
  return isText(octets) ? octets.toString("utf8") : null;
}

/** UTF-8 without control characters; a character cut off at the end is none of its business. */
export function isText(octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i]!;
    if (octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d && octet !== 0x0c) return false;
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(octets, { stream: true });
    return true;
  } catch {
    return false;
  }
}
