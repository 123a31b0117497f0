/**
 * Reading a request's JSON, field by field, with OpenAI's wording for what is wrong. `path` arguments name
 * the field as the API does (`messages[0].role`).
 */
import { type JsonObject, isJsonObject as isFields } from "../base/json-object.ts";
import { ApiFailure, badParameter } from "./failure.ts";

export type Fields = JsonObject;
export { isJsonObject as isFields } from "../base/json-object.ts";

/** Deeper nesting than any schema needs; keeps the recursive walks below from exhausting the stack. */
const MAX_DEPTH = 100;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as an object. @throws ApiFailure 400 when it is not one */
export function readBody(bytes: Uint8Array): Fields {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    refuseDeepNesting(text);
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    throw new ApiFailure(
      400,
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
        "library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
    );
  }
  if (!isFields(value)) {
    throw new ApiFailure(400, `Invalid body: expected an object, but got ${describe(value)} instead.`);
  }
  return value;
}

/** Brackets inside strings do not count. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) {
        throw new ApiFailure(400, `The JSON body is nested more than ${MAX_DEPTH} levels deep.`);
      }
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
}

/** Kind of a JSON value with its article, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "object":
      return "an object";
    case "number":
      return Number.isInteger(value) ? "an integer" : "a decimal";
    default:
      return `a ${typeof value}`;
  }
}

export function wrongType(path: string, expected: string, value: unknown): ApiFailure {
  return badParameter(
    path,
    "invalid_type",
    `Invalid type for '${path}': expected ${expected}, but got ${describe(value)} instead.`,
  );
}

export function missing(path: string): ApiFailure {
  return badParameter(path, "missing_required_parameter", `Missing required parameter: '${path}'.`);
}

/** An integer within bounds, or null when absent or null. */
export function integerField(body: Fields, name: string, min: number, max: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(name, "an integer", value);
  if (value < min || value > max) throw outOfRange(name, value, min, max, "integer");
  return value;
}

/** A number within bounds, or null when absent or null. */
export function numberField(body: Fields, name: string, min: number, max: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number") throw wrongType(name, "a decimal", value);
  if (value < min || value > max) throw outOfRange(name, value, min, max, "decimal");
  return value;
}

function outOfRange(name: string, value: number, min: number, max: number, kind: string): ApiFailure {
  const [side, word, sign, bound] =
    value < min ? ["below", "minimum", ">=", min] : ["above", "maximum", "<=", max];
  return badParameter(
    name,
    `${kind}_${side}_${side === "below" ? "min" : "max"}_value`,
    `Invalid '${name}': ${kind} ${side} ${word} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
  );
}

export function booleanField(body: Fields, name: string): boolean | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "boolean") throw wrongType(name, "a boolean", value);
  return value;
}

export function stringField(body: Fields, name: string, path = name): string | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw wrongType(path, "a string", value);
  return value;
}

export function requiredString(body: Fields, name: string, path = name): string {
  const value = stringField(body, name, path);
  if (value === null) throw missing(path);
  return value;
}

export function objectField(body: Fields, name: string, path = name): Fields | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!isFields(value)) throw wrongType(path, "an object", value);
  return value;
}

export function arrayField(body: Fields, name: string, path = name): unknown[] | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw wrongType(path, "an array", value);
  return value;
}

/** The element of an array of objects. */
export function elementFields(value: unknown, path: string): Fields {
  if (!isFields(value)) throw wrongType(path, "an object", value);
  return value;
}

/** A value outside a closed list. */
export function notOneOf(path: string, value: unknown, allowed: readonly string[]): ApiFailure {
  const list = allowed.map((word) => `'${word}'`).join(", ");
  return badParameter(
    path,
    "invalid_value",
    `Invalid value: ${quote(value)}. Supported values are: ${list}.`,
  );
}

function quote(value: unknown): string {
  return typeof value === "string" ? `'${value.slice(0, 80)}'` : describe(value);
}

/** The model asked for: the body's, or the deployment in the path when the body names none. */
export function modelField(body: Fields, deployment: string | null): string {
  const model = stringField(body, "model");
  if (model !== null && model !== "") return model;
  if (deployment !== null) return deployment;
  throw new ApiFailure(400, "you must provide a model parameter");
}

export function tooLong(param: string, most: number, length: number): ApiFailure {
  return badParameter(
    param,
    "array_above_max_length",
    `Invalid '${param}': array too long. Expected an array with maximum length ${most}, but got an array with ` +
      `length ${length} instead.`,
  );
}

export function emptyArray(param: string): ApiFailure {
  return badParameter(
    param,
    "empty_array",
    `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
  );
}
