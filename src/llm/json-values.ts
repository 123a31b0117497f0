/** Looking into JSON that somebody else wrote: what is missing or of another type is null or empty, never an error. */
import { type JsonObject, isJsonObject } from "../base/json-object.ts";

export function objectOf(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Only the objects of a list. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function stringOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A bound or a number of choices: an integer ≥ 0, or null. */
export function countOf(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? Math.floor(value)
    : null;
}

/** The first of these fields that is there: JSON of protocol buffers may be written in either case. */
export function either(object: JsonObject, name: string, other: string): unknown {
  return object[name] ?? object[other];
}

/** JSON text of a value; empty when it has none (`undefined`) or cannot be written. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

/** Most tokens of all choices together; null when one has no bound, or together they are beyond counting. */
export function boundOfAll(each: number | null, choices: unknown): number | null {
  if (each === null) return null;
  const all = each * (countOf(choices) || 1);
  return Number.isSafeInteger(all) ? all : null;
}

type Parameter = string | number | boolean | readonly string[];

/**
 * Picks request parameters by their type.
 *
 * @param fields pairs of the name of a `gen_ai.request.*` attribute and the value as sent
 */
export function parametersOf(fields: readonly (readonly [string, unknown])[]): Record<string, Parameter> {
  const found: Record<string, Parameter> = {};
  for (const [name, value] of fields) {
    // The conventions want it only where it is not 1, and stop sequences always as a list.
    if (name === "choice.count" && value === 1) continue;
    if (name === "stop_sequences") {
      const list = (typeof value === "string" ? [value] : listOf(value)).filter(isString);
      if (list.length > 0) found[name] = list;
    } else if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") {
      found[name] = value;
    }
  }
  return found;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
