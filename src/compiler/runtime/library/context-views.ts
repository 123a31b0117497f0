/**
 * Dictionaries of the context that live in the host's own structures: headers, query parameters, matched parameters,
 * variables. They look at the host each time they are asked, so they are made once per message and stay right after
 * policies changed it. All are read-only (`expressions.md` §4.2, §4.4).
 */
import type { HeaderList } from "../../../base/headers.ts";
import { sameName } from "../../../base/headers.ts";
import { spend } from "../budget.ts";
import { argumentNull, keyNotFound } from "../errors.ts";
import type { HostUrl } from "../host.ts";
import { lookupType } from "../define.ts";
import { type Type, arrayOf, instantiate } from "../type.ts";
import { NetArray, TYPE, typeNamed } from "../values.ts";
import { type DictionaryLike, Pair, pairType } from "./collections.ts";

function readOnlyDictionary(value: Type): Type {
  return instantiate(lookupType("System.Collections.Generic.IReadOnlyDictionary", 2), [
    typeNamed("System.String"),
    value,
  ]);
}

const textArray = (): Type => arrayOf(typeNamed("System.String"));

/** A new `string[]`. */
export function texts(items: string[]): NetArray {
  return new NetArray(typeNamed("System.String"), items);
}

function needKey(key: unknown): asserts key is string {
  if (key === null) throw argumentNull("key");
}

/** What the views have in common: everything follows from `find` and `keys`. */
abstract class View implements DictionaryLike {
  abstract get [TYPE](): Type;
  abstract get size(): number;
  abstract find(key: unknown): unknown;
  abstract keys(): Iterable<string>;

  get(key: unknown): unknown {
    const value = this.find(key);
    if (value === undefined) throw keyNotFound();
    return value;
  }

  *values(): Generator<unknown> {
    for (const key of this.keys()) yield this.find(key);
  }

  *[Symbol.iterator](): Generator<Pair> {
    const own = this[TYPE];
    const value = own.kind === "named" ? own.args[1]! : own;
    const type = pairType(typeNamed("System.String"), value);
    for (const key of this.keys()) yield new Pair(type, key, this.find(key));
  }
}

/** `Headers`: names without case, an array with one element per line. */
export class HeadersView extends View {
  readonly #message: { readonly headers: HeaderList };

  constructor(message: { readonly headers: HeaderList }) {
    super();
    this.#message = message;
  }

  get [TYPE](): Type {
    return readOnlyDictionary(textArray());
  }

  get size(): number {
    return this.#message.headers.names().length;
  }

  find(key: unknown): unknown {
    needKey(key);
    const lines = this.#message.headers.getAll(key);
    return lines === null ? undefined : texts(lines);
  }

  /** All lines of one name as one text; null without any. One line, the common case, makes nothing new. */
  joined(key: unknown): string | null {
    needKey(key);
    const { raw } = this.#message.headers;
    let found: string | null = null;
    for (let i = 0; i < raw.length; i += 2) {
      if (sameName(raw[i]!, key)) found = found === null ? raw[i + 1]! : `${found},${raw[i + 1]!}`;
    }
    return found;
  }

  has(key: string): boolean {
    return this.#message.headers.has(key);
  }

  keys(): Iterable<string> {
    return this.#message.headers.names();
  }
}

/** `Url.Query`: names decoded and without case, values as received. */
export class QueryView extends View {
  readonly #url: HostUrl;
  #entries: Map<string, { readonly name: string; readonly values: string[] }> | null = null;

  constructor(url: HostUrl) {
    super();
    this.#url = url;
  }

  get [TYPE](): Type {
    return readOnlyDictionary(textArray());
  }

  get #parsed(): Map<string, { readonly name: string; readonly values: string[] }> {
    return (this.#entries ??= parseQuery(this.#url.queryString));
  }

  get size(): number {
    return this.#parsed.size;
  }

  find(key: unknown): unknown {
    needKey(key);
    const entry = this.#parsed.get(key.toLowerCase());
    return entry === undefined ? undefined : texts(entry.values.slice());
  }

  joined(key: unknown): string | null {
    needKey(key);
    const entry = this.#parsed.get(key.toLowerCase());
    return entry === undefined ? null : entry.values.join(",");
  }

  *keys(): Generator<string> {
    for (const entry of this.#parsed.values()) yield entry.name;
  }
}

function parseQuery(query: string): Map<string, { readonly name: string; readonly values: string[] }> {
  const entries = new Map<string, { readonly name: string; readonly values: string[] }>();
  const text = query.startsWith("?") ? query.slice(1) : query;
  if (text === "") return entries;
  for (const part of text.split("&")) {
    if (part === "") continue;
    spend();
    const equals = part.indexOf("=");
    const name = decodeName(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : part.slice(equals + 1);
    const key = name.toLowerCase();
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { name, values: [value] });
    else known.values.push(value);
  }
  return entries;
}

/** Percent-decoding with `+` as a space; what cannot be decoded stays. */
function decodeName(name: string): string {
  if (!name.includes("%") && !name.includes("+")) return name;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}

/** `MatchedParameters`: names without case. */
export class ParametersView extends View {
  readonly #request: { readonly matchedParameters: ReadonlyMap<string, string> };

  constructor(request: { readonly matchedParameters: ReadonlyMap<string, string> }) {
    super();
    this.#request = request;
  }

  get [TYPE](): Type {
    return readOnlyDictionary(typeNamed("System.String"));
  }

  get size(): number {
    return this.#request.matchedParameters.size;
  }

  find(key: unknown): unknown {
    needKey(key);
    const parameters = this.#request.matchedParameters;
    const exact = parameters.get(key);
    if (exact !== undefined) return exact;
    for (const [name, value] of parameters) if (sameName(name, key)) return value;
    return undefined;
  }

  keys(): Iterable<string> {
    return this.#request.matchedParameters.keys();
  }
}

/** `Variables`: a missing one reads as null. */
export class VariablesView extends View {
  readonly #host: { readonly variables: ReadonlyMap<string, unknown> };

  constructor(host: { readonly variables: ReadonlyMap<string, unknown> }) {
    super();
    this.#host = host;
  }

  get [TYPE](): Type {
    return readOnlyDictionary(typeNamed("System.Object"));
  }

  get size(): number {
    return this.#host.variables.size;
  }

  find(key: unknown): unknown {
    needKey(key);
    return this.#host.variables.get(key);
  }

  override get(key: unknown): unknown {
    needKey(key);
    return this.#host.variables.get(key) ?? null;
  }

  keys(): Iterable<string> {
    return this.#host.variables.keys();
  }
}

/** Claims of a token and the like: a read-only dictionary over a map of our own. */
export class MapView extends View {
  readonly #map: ReadonlyMap<string, unknown>;
  readonly #valueType: Type;

  constructor(map: ReadonlyMap<string, unknown>, valueType: Type) {
    super();
    this.#map = map;
    this.#valueType = valueType;
  }

  get [TYPE](): Type {
    return readOnlyDictionary(this.#valueType);
  }

  get size(): number {
    return this.#map.size;
  }

  find(key: unknown): unknown {
    needKey(key);
    return this.#map.get(key);
  }

  keys(): Iterable<string> {
    return this.#map.keys();
  }
}
