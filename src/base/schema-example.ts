/**
 * Builds a value that satisfies a JSON schema, so that the demo model can fill in tool arguments and
 * structured answers. Values mentioned in the user's words are used (`city=Paris`, `"city": "Paris"`, `city
 * is Paris`, or an enum's value by itself); everything else gets the plainest value that fits.
 *
 * Keywords that no generator can satisfy in general (`not`, `if`, `dependentSchemas`, …) are not consulted.
 * Recursive schemas end because optional parts are left out, arrays stay empty and alternatives turn to
 * leaves below `DEEP`.
 */
import { type JsonObject as Fields, isJsonObject as isFields } from "./json-object.ts";
import { examplePattern } from "./pattern-example.ts";

const DEEP = 4;
const DEEPEST = 32;
const MAX_NODES = 5_000;
const MAX_LOOKUPS = 5_000;
const MAX_ITEMS = 100;
const MAX_STRING = 10_000;
const MAX_WORDS = 4_000;

interface Build {
  readonly root: unknown;
  /** The user's words, capped. */
  readonly words: string;
  nodes: number;
  /** Enum values looked for in the words. */
  lookups: number;
}

/**
 * @param schema a JSON schema; anything unusable counts as "any value"
 * @param words where values may be mentioned by name
 */
export function exampleFor(schema: unknown, words: string): unknown {
  return example(schema, "", 0, { root: schema, words: words.slice(0, MAX_WORDS), nodes: 0, lookups: 0 });
}

function example(source: unknown, name: string, depth: number, build: Build): unknown {
  if (++build.nodes > MAX_NODES || depth > DEEPEST) return null;
  const schema = settle(source, depth, build);
  if ("const" in schema) return schema["const"];
  const values = schema["enum"];
  if (Array.isArray(values) && values.length > 0) return chosen(values, name, build);
  const type = typeOf(schema);
  const hint = isLeaf(type) ? mention(name, build.words) : null;
  if (hint === null) {
    // OpenAPI's word before JSON Schema's.
    if (schema["example"] !== undefined) return schema["example"];
    if ("default" in schema) return schema["default"];
    const examples = schema["examples"];
    if (Array.isArray(examples) && examples.length > 0) return examples[0];
  }
  switch (type) {
    case "object":
      return objectExample(schema, depth, build);
    case "array":
      return arrayExample(schema, name, depth, build);
    case "integer":
    case "number":
      return numberExample(schema, type, hint);
    case "boolean":
      return hint === null ? true : /^(true|yes|on|1)$/i.test(hint);
    case "null":
      return null;
    default:
      return stringExample(schema, name, hint);
  }
}

/** Follows `$ref`, folds `allOf` in and decides between alternatives, until one plain schema is left. */
function settle(source: unknown, depth: number, build: Build): Fields {
  let schema: Fields = isFields(source) ? source : {};
  for (let turns = 0; turns < DEEPEST; turns++) {
    const ref = schema["$ref"];
    const all = schema["allOf"];
    const any = schema["anyOf"] ?? schema["oneOf"];
    if (typeof ref === "string") {
      const { $ref: _, ...rest } = schema;
      schema = merged(rest, resolve(ref, build.root));
    } else if (Array.isArray(all)) {
      const { allOf: _, ...rest } = schema;
      schema = all.slice(0, MAX_ITEMS).reduce<Fields>(merged, rest);
    } else if (Array.isArray(any) && any.length > 0) {
      const { anyOf: _, oneOf: __, ...rest } = schema;
      schema = merged(rest, alternative(any, depth));
    } else return schema;
  }
  return schema;
}

/** Local references only: `#` and `#/…`. */
function resolve(ref: string, root: unknown): unknown {
  if (!ref.startsWith("#")) return {};
  let at: unknown = root;
  for (const part of ref.slice(1).split("/").slice(1)) {
    const key = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(at)) at = at[Number(key)];
    else if (isFields(at) && Object.hasOwn(at, key)) at = at[key];
    else return {};
  }
  return at;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Both schemas at once: properties and required names together, the narrower bound, else the second one's
 * word.
 */
function merged(a: Fields, other: unknown): Fields {
  if (!isFields(other)) return a;
  const result: Fields = { ...a, ...other };
  for (const key of ["properties", "$defs", "definitions"]) {
    if (isFields(a[key]) && isFields(other[key])) result[key] = { ...a[key], ...other[key] };
  }
  if (Array.isArray(a["required"]) && Array.isArray(other["required"])) {
    result["required"] = [...a["required"], ...other["required"]];
  }
  for (const key of ["minimum", "exclusiveMinimum", "minLength", "minItems"])
    narrow(result, a, other, key, Math.max);
  for (const key of ["maximum", "exclusiveMaximum", "maxLength", "maxItems"])
    narrow(result, a, other, key, Math.min);
  return result;
}

function narrow(
  result: Fields,
  a: Fields,
  b: Fields,
  key: string,
  pick: (x: number, y: number) => number,
): void {
  const x = a[key];
  const y = b[key];
  if (typeof x === "number" && typeof y === "number") result[key] = pick(x, y);
}

/**
 * Near the root the first alternative that says something; further down the first that ends the recursion.
 */
function alternative(any: unknown[], depth: number): unknown {
  const typeIs = (schema: unknown, ...types: string[]): boolean =>
    isFields(schema) && typeof schema["type"] === "string" && types.includes(schema["type"]);
  if (depth <= DEEP) return any.find((schema) => !typeIs(schema, "null")) ?? any[0];
  return (
    any.find((schema) => typeIs(schema, "null", "boolean", "integer", "number", "string")) ??
    any.find((schema) => typeIs(schema, "array")) ??
    any[0]
  );
}

function typeOf(schema: Fields): string {
  const type = schema["type"];
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return type.filter(isString).find((one) => one !== "null") ?? "null";
  if (isFields(schema["properties"]) || Array.isArray(schema["required"])) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  if ("minimum" in schema || "maximum" in schema || "multipleOf" in schema) return "number";
  return "string";
}

function isLeaf(type: string): boolean {
  return type !== "object" && type !== "array" && type !== "null";
}

function chosen(values: unknown[], name: string, build: Build): unknown {
  const hint = mention(name, build.words);
  const words = build.words.toLowerCase();
  const said = (value: unknown): boolean =>
    typeof value === "string" &&
    value !== "" &&
    ++build.lookups < MAX_LOOKUPS &&
    words.includes(value.toLowerCase());
  return (
    values.find(
      (value) => hint !== null && isPlain(value) && String(value).toLowerCase() === hint.toLowerCase(),
    ) ??
    values.find(said) ??
    values[0]
  );
}

function objectExample(schema: Fields, depth: number, build: Build): Fields {
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const required = new Set((Array.isArray(schema["required"]) ? schema["required"] : []).filter(isString));
  const entries: [string, unknown][] = [];
  for (const [key, property] of Object.entries(properties)) {
    if (required.has(key) || depth < DEEP) entries.push([key, example(property, key, depth + 1, build)]);
    required.delete(key);
  }
  const others = schema["additionalProperties"];
  for (const key of required) entries.push([key, example(others, key, depth + 1, build)]);
  const least = Math.min(bound(schema["minProperties"], 0), MAX_ITEMS);
  for (let i = 1; entries.length < least; i++) {
    entries.push([`key${i}`, example(others, `key${i}`, depth + 1, build)]);
  }
  // Not by assignment: a property called `__proto__` must stay a property.
  return Object.fromEntries(entries);
}

function arrayExample(schema: Fields, name: string, depth: number, build: Build): unknown[] {
  const prefix = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
  const wanted = Math.max(bound(schema["minItems"], 0), depth < DEEP ? Math.max(prefix.length, 1) : 0);
  const length = Math.min(wanted, bound(schema["maxItems"], MAX_ITEMS), MAX_ITEMS);
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) {
    const item = example(i < prefix.length ? prefix[i] : schema["items"], name, depth + 1, build);
    items.push(schema["uniqueItems"] === true ? distinct(item, i) : item);
  }
  return items;
}

function distinct(item: unknown, index: number): unknown {
  if (index === 0) return item;
  if (typeof item === "number") return item + index;
  return typeof item === "string" ? `${item} ${index + 1}` : item;
}

/**
 * The first that fits of: the number said, 1 (or the step), 0, the ends of the range and what is next to
 * them.
 */
function numberExample(schema: Fields, type: "integer" | "number", hint: string | null): number {
  const step = bound(schema["multipleOf"], 0);
  const unit = type === "integer" ? (Number.isInteger(step) && step > 0 ? step : 1) : Math.max(step, 0);
  const min = bound(schema["minimum"], -Infinity);
  const max = bound(schema["maximum"], Infinity);
  const above = bound(schema["exclusiveMinimum"], -Infinity);
  const below = bound(schema["exclusiveMaximum"], Infinity);
  const fits = (value: number): boolean =>
    Number.isFinite(value) &&
    value >= min &&
    value <= max &&
    (value > above || above === -Infinity) &&
    (value < below || below === Infinity) &&
    (unit === 0 || Number.isInteger(value / unit));
  const low = Math.max(min, above);
  const high = Math.min(max, below);
  const lowest = unit === 0 ? low : Math.ceil(low / unit) * unit;
  const highest = unit === 0 ? high : Math.floor(high / unit) * unit;
  const said = hint === null ? NaN : Number(hint);
  const candidates = [
    said,
    unit || 1,
    0,
    lowest,
    lowest + unit,
    highest,
    highest - unit,
    (low + high) / 2,
    low + 1,
    high - 1,
  ];
  return candidates.find(fits) ?? (Number.isFinite(lowest) ? lowest : 0);
}

const FORMATS: Record<string, string> = {
  "date-time": "2026-01-01T12:00:00Z",
  date: "2026-01-01",
  time: "12:00:00Z",
  duration: "P1D",
  email: "demo@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  "uri-reference": "/demo",
  uuid: "00000000-0000-4000-8000-000000000000",
  regex: "^demo$",
  "json-pointer": "/demo",
};

function stringExample(schema: Fields, name: string, hint: string | null): string {
  const format = schema["format"];
  const pattern = schema["pattern"];
  const made = typeof pattern === "string" ? examplePattern(pattern) : null;
  if (made !== null) return made;
  if (typeof format === "string" && Object.hasOwn(FORMATS, format)) return FORMATS[format]!;
  const least = Math.min(bound(schema["minLength"], 0), MAX_STRING);
  const most = bound(schema["maxLength"], MAX_STRING);
  let text = hint ?? (name === "" ? "demo" : `demo ${name.slice(0, 64)}`);
  if (text.length < least) text = text.padEnd(least, ".");
  return text.slice(0, most);
}

/** A value that the words give to `name`, or null. */
function mention(name: string, words: string): string | null {
  if (name === "" || name.length > 64) return null;
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const found = new RegExp(
    `(?:^|[^\\w])${escaped}["']?(?:\\s*[=:]\\s*|\\s+is\\s+)(?:"([^"\\n]{0,500})"|'([^'\\n]{0,500})'|([^\\s,;"'{}]{1,500}))`,
    "i",
  ).exec(words);
  if (found === null) return null;
  return found[1] ?? found[2] ?? found[3]!.replace(/[.!?)\]]+$/, "");
}

function bound(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** Objects are left out: theirs may be a `toString` that is no function. */
function isPlain(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
