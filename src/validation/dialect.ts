/**
 * Schemas as descriptions have them (OpenAPI 2, 3.0, 3.1, JSON Schema draft 4 and later) → one dialect that ajv reads:
 * `nullable`, draft 4's boolean `exclusiveMinimum`, `type: file`, ids. Examples and values are left alone.
 */
import { isJsonObject } from "../base/json-object.ts";

export interface SchemaChanges {
  /** Overrides `additionalProperties` of every object schema; null leaves them. */
  readonly additionalProperties: boolean | null;
  /** Names of properties in lower case; the data must be in lower case too. */
  readonly foldNames: boolean;
}

const MOST_DEPTH = 256;
const PLAIN_DATA = new Set(["example", "examples", "default", "enum", "const", "x-ms-examples"]);
const TYPES = new Set(["string", "integer", "number", "boolean", "object", "array", "null"]);
/** Maps of name → schema: their keys are names, not keywords. */
const MAPS = new Set([
  "properties",
  "patternProperties",
  "definitions",
  "$defs",
  "dependentSchemas",
  "schemas",
]);

/** @throws Error when it is nested too deep */
export function inDialect(schema: unknown, changes: SchemaChanges, depth = 0): unknown {
  if (depth > MOST_DEPTH) throw new Error(`The schema is nested deeper than ${MOST_DEPTH}.`);
  if (Array.isArray(schema)) return schema.map((item) => inDialect(item, changes, depth + 1));
  if (!isJsonObject(schema)) return schema;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$schema" || (key === "id" && typeof value === "string")) continue;
    if (PLAIN_DATA.has(key)) put(result, key, value);
    else if (MAPS.has(key) && isJsonObject(value))
      put(result, key, mapOf(value, changes, depth, key === "properties"));
    else put(result, key, inDialect(value, changes, depth + 1));
  }
  return withNull(corrected(result, changes));
}

function mapOf(
  value: Record<string, unknown>,
  changes: SchemaChanges,
  depth: number,
  isProperties: boolean,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(value)) {
    put(
      result,
      isProperties && changes.foldNames ? name.toLowerCase() : name,
      inDialect(schema, changes, depth + 1),
    );
  }
  return result;
}

/** `__proto__` is a name like any other. */
function put(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function corrected(schema: Record<string, unknown>, changes: SchemaChanges): Record<string, unknown> {
  exclusive(schema, "exclusiveMinimum", "minimum");
  exclusive(schema, "exclusiveMaximum", "maximum");
  const { type, required } = schema;
  if (typeof type === "string" && !TYPES.has(type)) delete schema["type"];
  // OpenAPI 2 marks single properties; only lists mean something here.
  if (typeof required === "boolean") delete schema["required"];
  else if (Array.isArray(required) && changes.foldNames)
    schema["required"] = required.map((name) => String(name).toLowerCase());
  const isObject =
    type === "object" || isJsonObject(schema["properties"]) || "additionalProperties" in schema;
  if (changes.additionalProperties !== null && isObject)
    schema["additionalProperties"] = changes.additionalProperties;
  return schema;
}

function exclusive(schema: Record<string, unknown>, keyword: string, bound: string): void {
  if (typeof schema[keyword] !== "boolean") return;
  if (schema[keyword] === true && typeof schema[bound] === "number") {
    schema[keyword] = schema[bound];
    delete schema[bound];
  } else delete schema[keyword];
}

function withNull(schema: Record<string, unknown>): Record<string, unknown> {
  if (typeof schema["nullable"] !== "boolean") return schema;
  const { nullable, ...rest } = schema;
  if (nullable === false) return rest;
  const { type } = rest;
  if (typeof type !== "string") return { anyOf: [{ type: "null" }, rest] };
  const values = rest["enum"];
  const withValue = Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {};
  return { ...rest, type: [type, "null"], ...withValue };
}

/** A copy with the names of all properties in lower case. Data from outside: bounded by the reader. */
export function foldNames(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(foldNames);
  if (!isJsonObject(data)) return data;
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) put(result, name.toLowerCase(), foldNames(value));
  return result;
}
