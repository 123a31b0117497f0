/**
 * Request targets and URLs as the router needs them: split, decoded once, never re-encoded
 * (`routing.md` §2.1 "Percent-encoding").
 */
import type { HostUrl } from "../compiler/runtime/host.ts";
import type { Target } from "./snapshot.ts";

export interface SplitTarget {
  /** With leading `/`, raw, dot segments resolved. */
  readonly path: string;
  /** Without `?`, raw. */
  readonly query: string;
}

/**
 * Splits an origin-form target; absolute-form (`http://host/path`, RFC 9112 §3.2.2) loses its origin.
 *
 * @returns null when it must be refused: bad `%` escapes, `\`, control characters, segments that hide `.` or `..`
 */
export function splitTarget(target: string): SplitTarget | null {
  let rest = target;
  if (rest.charCodeAt(0) !== SLASH) {
    const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(rest);
    if (match === null) return rest === "*" ? { path: "/*", query: "" } : null;
    rest = rest.slice(match[0].length);
    if (rest.charCodeAt(0) !== SLASH) rest = `/${rest}`;
  }
  const at = rest.indexOf("?");
  const path = at < 0 ? rest : rest.slice(0, at);
  const query = at < 0 ? "" : rest.slice(at + 1);
  if (!PLAIN.test(path)) {
    if (path.includes("\\") || path.includes("#")) return null;
    for (const segment of path.split("/")) if (segmentHidesDots(segment)) return null;
  }
  return { path: path.includes("/.") ? resolveDots(path) : path, query };
}

const SLASH = 47;
/** Nothing to look at twice: no escapes, no dots at the start of a segment, no odd characters. */
const PLAIN = /^(?:\/(?:[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)?)+$/;

/** Raw `.`/`..` segments are resolved (RFC 3986 §5.2.4); encoded ones, or ones hidden between `%2F`, are refused. */
function segmentHidesDots(segment: string): boolean {
  if (!segment.includes("%")) return hasControl(segment);
  const decoded = decodeOnce(segment);
  if (decoded === null || hasControl(decoded)) return true;
  if (decoded.includes("\\")) return true;
  return decoded.split("/").some((part) => part === "." || part === "..");
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x7f) return true;
  }
  return false;
}

/** Percent-decodes UTF-8; null when an escape is invalid. */
export function decodeOnce(text: string): string | null {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function resolveDots(path: string): string {
  const out: string[] = [];
  const segments = path.split("/").slice(1);
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === ".") {
      if (last) out.push("");
    } else if (segment === "..") {
      out.pop();
      if (last) out.push("");
    } else out.push(segment);
  });
  return `/${out.join("/")}`;
}

/** Parses an absolute `http(s)`/`ws(s)` URL into a `Target`; null when it is not one. */
export function parseTarget(url: string, entity: Target["entity"] = null): Target | null {
  const match = /^(https?|wss?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i.exec(url.trim());
  if (match === null) return null;
  const scheme = match[1]!.toLowerCase().replace("ws", "http") as "http" | "https";
  const authority = match[2]!.slice(match[2]!.lastIndexOf("@") + 1);
  const hostMatch = /^(\[[0-9a-f:.%]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (hostMatch === null) return null;
  const host = hostMatch[1]!.toLowerCase();
  const defaultPort = scheme === "https" ? 443 : 80;
  const port = hostMatch[2] === undefined ? defaultPort : Number(hostMatch[2]);
  if (port > 65535 || port === 0) return null;
  return {
    scheme,
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port,
    authority: port === defaultPort ? host : `${host}:${port}`,
    basePath: match[3]!.replace(/\/+$/, ""),
    baseQuery: match[4] ?? "",
    entity,
  };
}

/** The URL the client called, from the Host header and the listener's scheme. */
export function originalUrlOf(scheme: "http" | "https", hostHeader: string, split: SplitTarget): HostUrl {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(hostHeader);
  const host = match === null ? hostHeader : match[1]!;
  const port = match?.[2] === undefined ? (scheme === "https" ? 443 : 80) : Number(match[2]);
  return { scheme, host, port, path: split.path, queryString: split.query === "" ? "" : `?${split.query}` };
}

/** Query pairs in order: names decoded (`+` is a space), values as received. */
export function parseQuery(query: string): { entries: (readonly [string, string])[] } {
  const entries: (readonly [string, string])[] = [];
  if (query === "") return { entries };
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    entries.push([decodeName(name), at < 0 ? "" : pair.slice(at + 1)]);
  }
  return { entries };
}

function decodeName(name: string): string {
  const spaced = name.includes("+") ? name.replaceAll("+", " ") : name;
  return decodeOnce(spaced) ?? spaced;
}
