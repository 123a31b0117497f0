/**
 * Taking URIs apart and putting them into .NET's canonical form (`expressions.md` §5.6): scheme and host in lower
 * case, default ports, dot segments removed, escapes of unreserved characters undone, everything illegal escaped.
 */
import { spendUnits } from "../budget.ts";
import { argumentNull } from "../errors.ts";
import { utf8Bytes } from "./encoding.ts";
import { IPAddress, readIPv4, readIPv6 } from "./ip-address.ts";
import { trimBy } from "./string-edit.ts";
import { escapeAt, percentEncode, safeSet } from "./web-utility.ts";

const LETTERS_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** RFC 3986 §2.3. */
export const UNRESERVED = safeSet(`${LETTERS_DIGITS}-._~`);
/** Unreserved and reserved ones (RFC 3986 §2.2). */
export const LEGAL = safeSet(`${LETTERS_DIGITS}-._~;/?:@&=+$,#[]!'()*`);

export const LONGEST_URI = 65519;

/** Tab to carriage return, and the space. */
const BLANKS = [9, 10, 11, 12, 13, 32];

/** Ports that stay unsaid. -1: the scheme has none. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["https", 443],
  ["ws", 80],
  ["wss", 443],
  ["ftp", 21],
  ["gopher", 70],
  ["nntp", 119],
  ["telnet", 23],
  ["ldap", 389],
  ["net.tcp", 808],
  ["mailto", 25],
]);
/** A host is a must, and `\` means `/`. */
const WEB = new Set(["http", "https", "ws", "wss", "ftp"]);

export type HostKind = "none" | "basic" | "dns" | "ipv4" | "ipv6";

/** The canonical parts of an absolute URI. */
export interface UriParts {
  readonly scheme: string;
  /** Whether `//` stands behind the scheme. */
  readonly hasAuthority: boolean;
  readonly userInfo: string;
  /** IPv6 in brackets. */
  readonly host: string;
  readonly hostKind: HostKind;
  readonly port: number;
  readonly isDefaultPort: boolean;
  readonly path: string;
  /** With `?`; empty when there is none. */
  readonly query: string;
  /** With `#`. */
  readonly fragment: string;
}

/** Why a text is no absolute URI. `relative`: because it has no scheme. */
export interface UriFailure {
  readonly kind: "relative" | "bad";
  readonly message: string;
}

const bad = (what: string): UriFailure => ({ kind: "bad", message: `Invalid URI: ${what}` });
const NO_HOST = "The hostname could not be parsed.";

export function isFailure(result: UriParts | UriFailure): result is UriFailure {
  return "kind" in result;
}

export function parseAbsolute(source: string): UriParts | UriFailure {
  if (source.length > LONGEST_URI) return bad("The Uri string is too long.");
  const text = trimBy(source, BLANKS, true, true);
  if (text === "") return { kind: "relative", message: "Invalid URI: The URI is empty." };
  if (/^[A-Za-z]:[\\/]/.test(text)) return filePath(`/${text}`, "");
  if (text.startsWith("\\\\")) return uncPath(text);
  const scheme = /^([A-Za-z][A-Za-z\d+.-]*):/.exec(text);
  if (scheme === null) {
    const message = "Invalid URI: The format of the URI could not be determined.";
    return /^[^/?#]*:/.test(text) && /^[A-Za-z]/.test(text)
      ? { kind: "relative", message: "Invalid URI: The URI scheme is not valid." }
      : { kind: "relative", message };
  }
  const name = scheme[1]!.toLowerCase();
  let rest = text.slice(scheme[0].length);
  if (rest === "") return WEB.has(name) || name === "file" ? bad(NO_HOST) : opaque(name, rest);
  const web = WEB.has(name);
  if (web || name === "file") rest = slashed(rest);
  if (name === "file") return fileUri(rest);
  if (!rest.startsWith("//")) {
    if (web) return bad("The Authority/Host could not be parsed.");
    return opaque(name, rest);
  }
  return hierarchical(name, rest.slice(2), web);
}

/** Backslashes in front of query and fragment become slashes. */
function slashed(text: string): string {
  const end = text.search(/[?#]/);
  return end < 0 ? text.replaceAll("\\", "/") : text.slice(0, end).replaceAll("\\", "/") + text.slice(end);
}

interface Tail {
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

function splitTail(text: string): Tail {
  const hash = text.indexOf("#");
  const fragment = hash < 0 ? "" : text.slice(hash);
  const before = hash < 0 ? text : text.slice(0, hash);
  const mark = before.indexOf("?");
  return {
    path: mark < 0 ? before : before.slice(0, mark),
    query: mark < 0 ? "" : canonical(before.slice(mark)),
    fragment: canonical(fragment),
  };
}

function opaque(scheme: string, rest: string): UriParts {
  const { path, query, fragment } = splitTail(rest);
  const mail = scheme === "mailto" ? /^([^@]*)@(.*)$/.exec(path) : null;
  return {
    scheme,
    hasAuthority: false,
    userInfo: mail?.[1] ?? "",
    host: mail?.[2]?.toLowerCase() ?? "",
    hostKind: mail === null ? "none" : "dns",
    port: DEFAULT_PORTS.get(scheme) ?? -1,
    isDefaultPort: true,
    path: mail === null ? canonical(path) : "",
    query,
    fragment,
  };
}

function hierarchical(scheme: string, rest: string, web: boolean): UriParts | UriFailure {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const tail = splitTail(end < 0 ? "" : rest.slice(end));
  const at = authority.lastIndexOf("@");
  const userInfo = at < 0 ? "" : canonical(authority.slice(0, at));
  const place = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority.slice(at + 1));
  if (place === null) return bad(NO_HOST);
  const fallback = DEFAULT_PORTS.get(scheme) ?? -1;
  let port = fallback;
  if (place[2] !== undefined && place[2] !== "") {
    if (!/^\d{1,10}$/.test(place[2]) || Number(place[2]) > 65535) return bad("Invalid port specified.");
    port = Number(place[2]);
  }
  const host = readHost(place[1]!);
  if (host === null || (web && host.kind === "none")) return bad(NO_HOST);
  const path = canonicalPath(tail.path === "" ? "/" : tail.path);
  return {
    scheme,
    hasAuthority: true,
    userInfo,
    host: host.text,
    hostKind: host.kind,
    port,
    isDefaultPort: port === fallback,
    ...tail,
    path,
  };
}

function readHost(text: string): { text: string; kind: HostKind } | null {
  if (text === "") return { text: "", kind: "none" };
  if (text.startsWith("[")) {
    const [address, scope] = text.slice(1, -1).split("%") as [string, string?];
    const bytes = readIPv6(address);
    if (bytes === null) return null;
    return {
      text: `[${new IPAddress(bytes).netToString()}${scope === undefined ? "" : `%${scope}`}]`,
      kind: "ipv6",
    };
  }
  if (/^[\dxXa-fA-F.]+$/.test(text) && /^\d/.test(text)) {
    const bytes = readIPv4(text);
    if (bytes !== null) return { text: bytes.join("."), kind: "ipv4" };
  }
  const labels = text.endsWith(".") ? text.slice(0, -1).split(".") : text.split(".");
  if (
    labels.every((label) => /^[\p{L}\p{N}\p{M}_](?:[\p{L}\p{N}\p{M}_-]*)$/u.test(label) && label.length <= 63)
  ) {
    return { text: text.toLowerCase(), kind: "dns" };
  }
  if (/^[\w.~!$&'()*+,;=%-]+$/.test(text) && !/%(?![\da-fA-F]{2})/.test(text)) {
    return /[!$&'()*+,;=%]/.test(text) ? null : { text: text.toLowerCase(), kind: "basic" };
  }
  return null;
}

function filePath(path: string, host: string): UriParts {
  const name = path.replaceAll("\\", "/");
  return {
    scheme: "file",
    hasAuthority: true,
    userInfo: "",
    host,
    hostKind: host === "" ? "none" : "dns",
    port: -1,
    isDefaultPort: true,
    path: canonicalPath(name).replaceAll("?", "%3F").replaceAll("#", "%23"),
    query: "",
    fragment: "",
  };
}

function uncPath(text: string): UriParts | UriFailure {
  const match = /^\\\\([^\\/]+)(.*)$/s.exec(text);
  const host = match === null ? null : readHost(match[1]!);
  return host === null ? bad(NO_HOST) : filePath(match![2] === "" ? "/" : match![2]!, host.text);
}

function fileUri(rest: string): UriParts | UriFailure {
  const match = /^\/\/([^/?#]*)(.*)$/s.exec(rest);
  const drive = match !== null && /^[A-Za-z]:$/.test(match[1]!);
  const host = match === null || drive ? { text: "" } : readHost(match[1]!);
  if (host === null) return bad(NO_HOST);
  const tail = splitTail(match === null ? rest : drive ? `/${match[1]!}${match[2]!}` : match[2]!);
  const path = canonicalPath(tail.path.startsWith("/") ? tail.path : `/${tail.path}`);
  return { ...filePath("/", host.text), ...tail, path };
}

/** Undoes escapes of unreserved characters, escapes what may not stand as it is; other escapes stay. */
export function canonical(text: string): string {
  if (/^[\w.~;/?:@&=+$,#[\]!'()*-]*$/.test(text)) return text;
  let result = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "%") continue;
    result += percentEncode(text.slice(from, i), LEGAL, false);
    const octet = escapeAt(text, i);
    if (octet < 0) {
      result += "%25";
      from = i + 1;
    } else {
      result += UNRESERVED[octet] === 1 ? String.fromCharCode(octet) : text.slice(i, i + 3);
      i += 2;
      from = i + 1;
    }
  }
  return result + percentEncode(text.slice(from), LEGAL, false);
}

export function canonicalPath(path: string): string {
  return removeDotSegments(canonical(path));
}

/** RFC 3986 §5.2.4; more `..` than folders stop at the root. */
export function removeDotSegments(path: string): string {
  if (!/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return path;
  const kept: string[] = [];
  const segments = path.split("/");
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === "." || segment === "..") {
      if (segment === ".." && kept.length > 1) kept.pop();
      if (last) kept.push("");
    } else kept.push(segment);
  });
  return kept.join("/");
}

/** `Uri.EscapeDataString`. */
export function escapeData(text: string | null, parameter = "stringToEscape"): string {
  if (text === null) throw argumentNull(parameter);
  return percentEncode(text, UNRESERVED, false);
}

/** `Uri.UnescapeDataString`: escapes that form no UTF-8 stay as they are. */
export function unescapeData(text: string | null): string {
  if (text === null) throw argumentNull("stringToUnescape");
  return unescape(text, () => true);
}

/** @param wanted whether this code point may stand unescaped */
export function unescape(text: string, wanted: (point: number) => boolean): string {
  if (!text.includes("%")) return text;
  let result = "";
  let paid = 0;
  for (let i = 0; i < text.length;) {
    if (i - paid > 1023) {
      spendUnits(i - paid);
      paid = i;
    }
    const point = escapedPoint(text, i);
    if (point === null) result += text[i++]!;
    else {
      const width = point.octets * 3;
      result += wanted(point.point) ? String.fromCodePoint(point.point) : text.slice(i, i + width);
      i += width;
    }
  }
  return result;
}

/** The code point whose UTF-8 octets are escaped here, in their shortest form. */
function escapedPoint(text: string, at: number): { point: number; octets: number } | null {
  const first = escapeAt(text, at);
  if (first < 0) return null;
  if (first < 0x80) return { point: first, octets: 1 };
  const octets =
    first >= 0xf0 && first < 0xf5
      ? 4
      : first >= 0xe0 && first < 0xf0
        ? 3
        : first >= 0xc2 && first < 0xe0
          ? 2
          : 0;
  if (octets === 0) return null;
  let point = first & (0xff >> (octets + 1));
  for (let i = 1; i < octets; i++) {
    const next = escapeAt(text, at + i * 3);
    if (next < 0x80 || next > 0xbf) return null;
    point = (point << 6) | (next & 0x3f);
  }
  const least = octets === 2 ? 0x80 : octets === 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
  return { point, octets };
}

/** Escapes that `Uri.ToString()` keeps: of reserved and control characters and the per cent sign. */
export function isSafeUnescaped(point: number): boolean {
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
  return !";/?:@&=+$,#[]!'()*%\\".includes(String.fromCodePoint(point));
}

/** `Uri.HexEscape`. */
export function hexEscape(unit: number): string {
  return Array.from(
    utf8Bytes(String.fromCharCode(unit)),
    (b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}
