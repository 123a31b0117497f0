/**
 * Operation templates such as `/items({id})/{*rest}?api-version={v}`, compiled once into a matcher
 * (`routing.md` §3.1–3.4).
 */
import { decodeOnce } from "./url.ts";

export interface TemplateMatcher {
  /** Names of all parameters, path and query, as written; `*` for the anonymous catch-all. */
  readonly names: readonly string[];
  /** First segment when it is a literal, lower case: the operation index is keyed by it. */
  readonly firstLiteral: string | null;
  /** Sort key of the precedence rules: smaller is tried first. */
  readonly rank: string;
  /**
   * @param path path below the API
   * @param query the request's query
   * @returns values by name, or null when it does not match
   */
  match(path: PathSegments, query: QueryParameters): MatchedTemplate | null;
}

/** The path below the API in segments, without an empty last one. */
export interface PathSegments {
  /** Still encoded. */
  readonly raw: readonly string[];
  /** Decoded once. */
  readonly decoded: readonly string[];
}

export interface MatchedTemplate {
  /** Path values decoded, query values as received. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Path values as received, for `rewrite-uri`. */
  readonly raw: ReadonlyMap<string, string>;
}

/** Query parameters in order, values as received, names decoded. */
export interface QueryParameters {
  readonly entries: readonly (readonly [name: string, value: string])[];
}

type SegmentPattern =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "mixed"; readonly parts: readonly MixedPart[] }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

/** Alternating literal (lower case) and parameter. */
type MixedPart = { readonly literal: string } | { readonly name: string };

interface QueryPattern {
  /** Lower case. */
  readonly name: string;
  /** Lower case; null when the value is a parameter. */
  readonly literal: string | null;
  readonly parameter: string | null;
}

/** @returns the matcher, or why the template is not acceptable */
export function compileTemplate(template: string): TemplateMatcher | string {
  const at = queryStart(template);
  const pathText = at < 0 ? template : template.slice(0, at);
  const path = parsePath(pathText);
  if (typeof path === "string") return path;
  const query = at < 0 ? [] : parseQueryPattern(template.slice(at + 1));
  const names = [
    ...path.flatMap(namesOf),
    ...query.flatMap((pair) => (pair.parameter === null ? [] : [pair.parameter])),
  ];
  const first = path[0];
  return {
    names,
    firstLiteral: first?.kind === "literal" ? first.text : null,
    rank: rankOf(path, query),
    match: (segments, parameters) => match(path, query, segments, parameters),
  };
}

/** The `?` that begins the query, not one inside braces. */
function queryStart(template: string): number {
  let depth = 0;
  for (let i = 0; i < template.length; i++) {
    const c = template[i];
    if (c === "{") depth++;
    else if (c === "}") depth--;
    else if (c === "?" && depth === 0) return i;
  }
  return -1;
}

function parsePath(text: string): SegmentPattern[] | string {
  const trimmed = text.replace(/^\/+/, "").replace(/\/+$/, "");
  if (trimmed === "") return [];
  const patterns: SegmentPattern[] = [];
  const segments = trimmed.split("/");
  for (const [i, segment] of segments.entries()) {
    const pattern = parseSegment(segment);
    if (typeof pattern === "string") return pattern;
    if (pattern.kind === "rest" && i !== segments.length - 1) {
      return `the catch-all "${segment}" must be the last segment`;
    }
    patterns.push(pattern);
  }
  return patterns;
}

function parseSegment(segment: string): SegmentPattern | string {
  if (segment === "*") return { kind: "rest", name: "*" };
  const whole = /^\{(\*?)([^{}]+)\}$/.exec(segment);
  if (whole !== null)
    return whole[1] === "*" ? { kind: "rest", name: whole[2]! } : { kind: "parameter", name: whole[2]! };
  if (!segment.includes("{") && !segment.includes("}")) {
    return { kind: "literal", text: (decodeOnce(segment) ?? segment).toLowerCase() };
  }
  const parts: MixedPart[] = [];
  let rest = segment;
  while (rest !== "") {
    const open = rest.indexOf("{");
    const literal = open < 0 ? rest : rest.slice(0, open);
    if (literal.includes("}")) return `"${segment}" has a "}" without "{"`;
    if (literal !== "") parts.push({ literal: literal.toLowerCase() });
    if (open < 0) break;
    const close = rest.indexOf("}", open);
    if (close < 0) return `"${segment}" has a "{" without "}"`;
    const name = rest.slice(open + 1, close);
    if (name === "" || name.includes("{") || name.startsWith("*"))
      return `"{${name}}" is not a parameter name`;
    if (parts.length > 0 && "name" in parts.at(-1)!)
      return `"${segment}" has two parameters with nothing between them`;
    parts.push({ name });
    rest = rest.slice(close + 1);
  }
  return { kind: "mixed", parts };
}

function parseQueryPattern(text: string): QueryPattern[] {
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      const name = (at < 0 ? pair : pair.slice(0, at)).toLowerCase();
      const value = at < 0 ? "" : pair.slice(at + 1);
      const parameter = /^\{([^{}]+)\}$/.exec(value);
      return parameter === null
        ? { name, literal: value.toLowerCase(), parameter: null }
        : { name, literal: null, parameter: parameter[1]! };
    });
}

function namesOf(pattern: SegmentPattern): string[] {
  switch (pattern.kind) {
    case "literal":
      return [];
    case "mixed":
      return pattern.parts.flatMap((part) => ("name" in part ? [part.name] : []));
    default:
      return [pattern.name];
  }
}

/** Segment by segment: literal, mixed, parameter, end, `{*x}`, `*`; then more query pairs, then more literal ones. */
function rankOf(path: readonly SegmentPattern[], query: readonly QueryPattern[]): string {
  const order = path.map((pattern) => {
    if (pattern.kind === "rest") return pattern.name === "*" ? "5" : "4";
    return pattern.kind === "literal" ? "0" : pattern.kind === "mixed" ? "1" : "2";
  });
  const literals = query.filter((pair) => pair.literal !== null).length;
  const twoDigits = (n: number): string => String(99 - Math.min(n, 99)).padStart(2, "0");
  return `${order.join("")}3${twoDigits(query.length)}${twoDigits(literals)}`;
}

function match(
  path: readonly SegmentPattern[],
  query: readonly QueryPattern[],
  { raw, decoded }: PathSegments,
  { entries }: QueryParameters,
): MatchedTemplate | null {
  const last = path.at(-1);
  const open = last?.kind === "rest";
  if (open ? decoded.length < path.length - 1 : decoded.length !== path.length) return null;
  let parameters: Map<string, string> | null = null;
  let rawValues: Map<string, string> | null = null;
  const put = (name: string, value: string, rawValue: string): void => {
    (parameters ??= new CaselessMap()).set(name, value);
    (rawValues ??= new CaselessMap()).set(name, rawValue);
  };
  for (let i = 0; i < path.length; i++) {
    const pattern = path[i]!;
    if (pattern.kind === "rest") {
      put(pattern.name, decoded.slice(i).join("/"), raw.slice(i).join("/"));
      break;
    }
    const segment = decoded[i]!;
    if (pattern.kind === "literal") {
      if (segment !== pattern.text && segment.toLowerCase() !== pattern.text) return null;
    } else if (pattern.kind === "parameter") {
      if (segment === "") return null;
      put(pattern.name, segment, raw[i]!);
    } else if (!matchMixed(pattern.parts, segment, raw[i]!, put)) return null;
  }
  for (const pair of query) {
    const found = entries.find(
      ([name, value]) =>
        name.toLowerCase() === pair.name &&
        (pair.literal === null || (decodeOnce(value) ?? value).toLowerCase() === pair.literal),
    );
    if (found === undefined) return null;
    if (pair.parameter !== null) put(pair.parameter, found[1], found[1]);
  }
  return { parameters: parameters ?? NONE, raw: rawValues ?? NONE };
}

const NONE: ReadonlyMap<string, string> = new Map();

/** `items({id})`: literals in order, each parameter at least one character, the shortest that fits. */
function matchMixed(
  parts: readonly MixedPart[],
  segment: string,
  raw: string,
  put: (name: string, value: string, raw: string) => void,
): boolean {
  const lower = segment.toLowerCase();
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if ("literal" in part) {
      if (!lower.startsWith(part.literal, at)) return false;
      at += part.literal.length;
      continue;
    }
    const next = parts[i + 1];
    let end = segment.length;
    if (next !== undefined && "literal" in next) {
      const isLast = i + 2 === parts.length;
      end = isLast ? lower.lastIndexOf(next.literal) : lower.indexOf(next.literal, at + 1);
      if (isLast && end >= 0 && end + next.literal.length !== lower.length) return false;
    }
    if (end <= at) return false;
    const value = segment.slice(at, end);
    put(part.name, value, segment === raw ? value : encodeURIComponent(value));
    at = end;
  }
  return at === segment.length;
}

/** Template parameters are looked up without case (`expressions.md` §4.2) but listed as written. */
class CaselessMap extends Map<string, string> {
  override get(name: string): string | undefined {
    const exact = super.get(name);
    if (exact !== undefined) return exact;
    const lower = name.toLowerCase();
    for (const [key, value] of this) if (key.toLowerCase() === lower) return value;
    return undefined;
  }
  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}
