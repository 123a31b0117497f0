/** System.Uri. Parsing is in `uri-parse.ts`. */
import { type Members, defineType } from "../define.ts";
import { NetException, argumentNull, argumentOutOfRange, invalidOperation } from "../errors.ts";
import type { Type } from "../type.ts";
import {
  type EnumValue,
  NetArray,
  type NetObject,
  type OutCell,
  TYPE,
  enumValue,
  hashOf,
  typeNamed,
} from "../values.ts";
import {
  LEGAL,
  LONGEST_URI,
  type UriParts,
  escapeData,
  hexEscape,
  isFailure,
  isSafeUnescaped,
  parseAbsolute,
  unescape,
  unescapeData,
} from "./uri-parse.ts";
import { percentEncode } from "./web-utility.ts";

export class Uri implements NetObject {
  readonly original: string;
  /** null for a relative one. */
  readonly parts: UriParts | null;

  constructor(original: string, parts: UriParts | null) {
    this.original = original;
    this.parts = parts;
  }
  get [TYPE](): Type {
    return typeNamed("System.Uri");
  }
  netToString(): string {
    return this.parts === null ? this.original : shown(this.parts);
  }
  /** User information and fragment do not count. */
  netEquals(other: unknown): boolean {
    return other instanceof Uri && identity(this) === identity(other);
  }
  netHashCode(): number {
    return hashOf(identity(this));
  }
}

/** Unescaped where that loses nothing. */
function shown(parts: UriParts): string {
  const plain = (text: string): string => unescape(text, isSafeUnescaped);
  return `${prefix(parts)}${userPrefix(parts)}${place(parts)}${plain(parts.path)}${plain(parts.query)}${plain(parts.fragment)}`;
}

function identity({ original, parts }: Uri): string {
  return parts === null ? original : `${prefix(parts)}${place(parts)}${parts.path}${parts.query}`;
}

function prefix(parts: UriParts): string {
  return parts.scheme + (parts.hasAuthority ? "://" : ":");
}

function userPrefix(parts: UriParts): string {
  return parts.userInfo === "" ? "" : `${parts.userInfo}@`;
}

/** Host, and port when it is not the scheme's own. */
function place(parts: UriParts): string {
  return parts.isDefaultPort ? parts.host : `${parts.host}:${parts.port}`;
}

function absoluteUri(parts: UriParts): string {
  return `${prefix(parts)}${userPrefix(parts)}${place(parts)}${parts.path}${parts.query}${parts.fragment}`;
}

/** Numbers of UriKind. */
const EITHER = 0;
const ABSOLUTE = 1;
const RELATIVE = 2;

const formatError = (message: string): NetException => new NetException("System.UriFormatException", message);

/** @returns the Uri, or what is wrong with it */
function read(text: string, kind: number): Uri | string {
  const parts = parseAbsolute(text);
  if (!isFailure(parts)) {
    return kind === RELATIVE
      ? "A relative URI cannot be created because the 'uriString' parameter represents an absolute URI."
      : new Uri(text, parts);
  }
  if (kind === ABSOLUTE || parts.kind === "bad") return parts.message;
  return text.length > LONGEST_URI ? "Invalid URI: The Uri string is too long." : new Uri(text, null);
}

function kindOf(kind: EnumValue): number {
  if (kind.number < 0 || kind.number > 2) throw argumentOutOfRange("uriKind");
  return kind.number;
}

/** `new Uri(text)`: absolute. */
export function parseUri(text: string | null, kind = ABSOLUTE): Uri {
  if (text === null) throw argumentNull("uriString");
  const uri = read(text, kind);
  if (typeof uri === "string") throw formatError(uri);
  return uri;
}

function absolute(uri: Uri): UriParts {
  if (uri.parts === null) throw invalidOperation("This operation is not supported for a relative URI.");
  return uri.parts;
}

/** RFC 3986 §5.2. */
function resolve(base: Uri | null, relative: Uri | null): Uri {
  if (base === null) throw argumentNull("baseUri");
  if (base.parts === null) throw argumentOutOfRange("baseUri");
  if (relative === null) return base;
  if (relative.parts !== null) return relative;
  return parseUri(resolved(base.parts, relative.original.trim()));
}

function resolved(base: UriParts, text: string): string {
  const root = `${prefix(base)}${userPrefix(base)}${place(base)}`;
  const reference = base.hasAuthority ? text.replace(/^[^?#]*/, (path) => path.replaceAll("\\", "/")) : text;
  if (reference === "") return root + base.path + base.query;
  if (reference.startsWith("//")) return `${base.scheme}:${reference}`;
  if (reference.startsWith("/")) return root + reference;
  if (reference.startsWith("?")) return root + base.path + reference;
  if (reference.startsWith("#")) return root + base.path + base.query + reference;
  return root + base.path.slice(0, base.path.lastIndexOf("/") + 1) + reference;
}

function resolveText(base: Uri | null, text: string | null): Uri {
  if (text === null) return resolve(base, null);
  return resolve(base, parseUri(text, EITHER));
}

function attempt(result: OutCell, make: () => Uri | null): boolean {
  try {
    result.value = make();
  } catch (error) {
    if (!(error instanceof NetException)) throw error;
    result.value = null;
  }
  return result.value !== null;
}

function segments(path: string): string[] {
  return path.match(/[^/]*\/|[^/]+$/g) ?? [];
}

function leftPart(uri: Uri, part: EnumValue): string {
  const parts = absolute(uri);
  switch (part.number) {
    case 0:
      return prefix(parts);
    case 1:
      return parts.hasAuthority ? `${prefix(parts)}${userPrefix(parts)}${place(parts)}` : "";
    case 2:
      return `${prefix(parts)}${userPrefix(parts)}${place(parts)}${parts.path}`;
    case 3:
      return `${prefix(parts)}${userPrefix(parts)}${place(parts)}${parts.path}${parts.query}`;
    default:
      throw argumentOutOfRange("part");
  }
}

/** The reference that leads from `from` to `to`. */
function makeRelative(from: Uri, to: Uri | null): Uri {
  if (to === null) throw argumentNull("uri");
  const a = absolute(from);
  const b = absolute(to);
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return to;
  const here = a.path.split("/");
  const there = b.path.split("/");
  let same = 0;
  while (same < here.length - 1 && same < there.length - 1 && here[same] === there[same]) same++;
  let path = "../".repeat(here.length - 1 - same) + there.slice(same).join("/");
  if (path === here[here.length - 1] && same === here.length - 1 && b.query === "" && b.fragment === "")
    path = "";
  if (/^[^/]*:/.test(path)) path = `./${path}`;
  return new Uri(path + b.query + b.fragment, null);
}

function isBaseOf(base: Uri, other: Uri | null): boolean {
  if (other === null) throw argumentNull("uri");
  const a = absolute(base);
  if (other.parts === null) return true;
  const b = other.parts;
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false;
  return b.path.startsWith(a.path.slice(0, a.path.lastIndexOf("/") + 1));
}

/** Whether nothing would have to be escaped. */
function isWellFormed(text: string | null, kind: number): boolean {
  if (text === null) return false;
  const uri = read(text, kind);
  if (typeof uri === "string" || /\\|%(?![\da-fA-F]{2})/.test(text)) return false;
  if ([...text].some((c) => c.codePointAt(0)! < 128 && c !== "%" && LEGAL[c.charCodeAt(0)] !== 1))
    return false;
  return true;
}

const HOST_KINDS = { none: 1, basic: 1, dns: 2, ipv4: 3, ipv6: 4 } as const;
const hostNameType = (number: number): EnumValue =>
  enumValue(typeNamed("System.UriHostNameType").definition, number);

function checkHostName(name: string | null): EnumValue {
  if (name === null || name === "") return hostNameType(0);
  const bracketed = name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
  const parts = parseAbsolute(`http://${bracketed}/`);
  return hostNameType(
    isFailure(parts) || !parts.isDefaultPort || parts.userInfo !== "" || parts.path !== "/"
      ? 0
      : HOST_KINDS[parts.hostKind],
  );
}

function isLoopback(parts: UriParts): boolean {
  return (
    parts.host === "localhost" ||
    parts.host === "loopback" ||
    parts.host === "[::1]" ||
    (parts.scheme === "file" && parts.host === "") ||
    (parts.hostKind === "ipv4" && parts.host.startsWith("127."))
  );
}

function localPath(parts: UriParts): string {
  const path = unescapeData(parts.path);
  if (parts.scheme !== "file") return path;
  if (parts.host !== "") return `\\\\${parts.host}${path.replaceAll("/", "\\")}`;
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1).replaceAll("/", "\\") : path;
}

/** `xn--…` form; the platform's URL parser knows IDNA. */
function idnHost(parts: UriParts): string {
  if (parts.hostKind !== "dns" || /^[\0-\x7f]*$/.test(parts.host)) return parts.host.replace(/^\[|\]$/g, "");
  try {
    return new URL(`http://${parts.host}/`).hostname;
  } catch {
    return parts.host;
  }
}

const get = (read: (parts: UriParts) => unknown) => (uri: Uri) => read(absolute(uri));

const SCHEMES = {
  Http: "http",
  Https: "https",
  Ftp: "ftp",
  File: "file",
  Mailto: "mailto",
  Ws: "ws",
  Wss: "wss",
};
const schemes: Record<string, string> = {};
for (const [name, scheme] of Object.entries(SCHEMES)) schemes[`const string UriScheme${name}`] = scheme;

function hexDigit(unit: number): number {
  const value = Number.parseInt(String.fromCharCode(unit), 16);
  if (Number.isNaN(value))
    throw new NetException("System.ArgumentException", "Value does not fall within the expected range.");
  return value;
}

const members: Members = {
  ...schemes,
  "const string SchemeDelimiter": "://",
  "Uri(string uriString)": (text: string | null) => parseUri(text),
  "Uri(string uriString, UriKind uriKind)": (text: string | null, kind: EnumValue) =>
    parseUri(text, kindOf(kind)),
  "Uri(Uri baseUri, string relativeUri)": resolveText,
  "Uri(Uri baseUri, Uri relativeUri)": (base: Uri | null, relative: Uri | null) => {
    if (relative === null) throw argumentNull("relativeUri");
    return resolve(base, relative);
  },
  "static bool TryCreate(string uriString, UriKind uriKind, out Uri result)": (
    text: string | null,
    kind: EnumValue,
    result: OutCell,
  ) => {
    const uri = text === null ? "" : read(text, kindOf(kind));
    result.value = typeof uri === "string" ? null : uri;
    return result.value !== null;
  },
  "static bool TryCreate(Uri baseUri, string relativeUri, out Uri result)": (
    base: Uri | null,
    text: string | null,
    result: OutCell,
  ) => attempt(result, () => resolveText(base, text)),
  "static bool TryCreate(Uri baseUri, Uri relativeUri, out Uri result)": (
    base: Uri | null,
    relative: Uri | null,
    result: OutCell,
  ) => attempt(result, () => (relative === null ? null : resolve(base, relative))),
  "static string EscapeDataString(string stringToEscape)": (text: string | null) => escapeData(text),
  "static string UnescapeDataString(string stringToUnescape)": unescapeData,
  "static string EscapeUriString(string stringToEscape)": (text: string | null) => {
    if (text === null) throw argumentNull("stringToEscape");
    return percentEncode(text, LEGAL, false);
  },
  "static bool IsWellFormedUriString(string uriString, UriKind uriKind)": (
    text: string | null,
    kind: EnumValue,
  ) => isWellFormed(text, kindOf(kind)),
  "static bool CheckSchemeName(string schemeName)": (name: string | null) =>
    name !== null && /^[A-Za-z][A-Za-z\d+.-]*$/.test(name),
  "static UriHostNameType CheckHostName(string name)": checkHostName,
  "static string HexEscape(char character)": hexEscape,
  "static bool IsHexDigit(char character)": (unit: number) => /^[\da-fA-F]$/.test(String.fromCharCode(unit)),
  "static int FromHex(char digit)": hexDigit,
  "string Scheme { get; }": get((parts) => parts.scheme),
  "string Host { get; }": get((parts) => parts.host),
  "string DnsSafeHost { get; }": get(idnHost),
  "string IdnHost { get; }": get(idnHost),
  "int Port { get; }": get((parts) => parts.port),
  "bool IsDefaultPort { get; }": get((parts) => parts.isDefaultPort),
  "string Authority { get; }": get(place),
  "string UserInfo { get; }": get((parts) => parts.userInfo),
  "string AbsolutePath { get; }": get((parts) => parts.path),
  "string LocalPath { get; }": get(localPath),
  "string PathAndQuery { get; }": get((parts) => parts.path + parts.query),
  "string Query { get; }": get((parts) => parts.query),
  "string Fragment { get; }": get((parts) => parts.fragment),
  "string AbsoluteUri { get; }": get(absoluteUri),
  "string[] Segments { get; }": get(
    (parts) => new NetArray(typeNamed("System.String"), segments(parts.path)),
  ),
  "UriHostNameType HostNameType { get; }": get((parts) => hostNameType(HOST_KINDS[parts.hostKind])),
  "bool IsLoopback { get; }": get(isLoopback),
  "bool IsFile { get; }": get((parts) => parts.scheme === "file"),
  "bool IsUnc { get; }": get((parts) => parts.scheme === "file" && parts.host !== ""),
  "string OriginalString { get; }": (uri: Uri) => uri.original,
  "bool IsAbsoluteUri { get; }": (uri: Uri) => uri.parts !== null,
  "bool UserEscaped { get; }": () => false,
  "string GetLeftPart(UriPartial part)": leftPart,
  "Uri MakeRelativeUri(Uri uri)": makeRelative,
  "bool IsBaseOf(Uri uri)": isBaseOf,
  "bool IsWellFormedOriginalString()": (uri: Uri) => isWellFormed(uri.original, EITHER),
  "string ToString()": (uri: Uri) => uri.netToString(),
  "bool Equals(object comparand)": (a: Uri, b: unknown) =>
    a.netEquals(typeof b === "string" ? uriOrNull(b) : b),
  "int GetHashCode()": (uri: Uri) => uri.netHashCode(),
  "static bool operator ==(Uri uri1, Uri uri2)": same,
  "static bool operator !=(Uri uri1, Uri uri2)": (a: Uri | null, b: Uri | null) => !same(a, b),
};

function uriOrNull(text: string): Uri | null {
  const uri = read(text, EITHER);
  return typeof uri === "string" ? null : uri;
}

function same(a: Uri | null, b: Uri | null): boolean {
  return a === b || (a !== null && a.netEquals(b));
}

defineType("class System.Uri", members);
