/** Single fields of requests and answers: what is missing or of the wrong type is null. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import type { FoundAnswer } from "../../dialect.ts";
import { listOf } from "../../json-values.ts";

/** What becomes a name in records and metrics: an id, a model, a reason. Nobody's is longer. */
const LONGEST_NAME = 256;

/** A string that names something; cut where it is too long to be a name. */
export function nameOf(value: unknown): string | null {
  if (typeof value !== "string" || value === "") return null;
  return value.length <= LONGEST_NAME ? value : value.slice(0, LONGEST_NAME);
}

/** A whole number > 0. */
export function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** The bound of all choices together; null when one cannot be told. */
export function boundOf(each: number | null, choices: unknown): number | null {
  if (each === null) return null;
  const all = each * (countOf(choices) ?? 1);
  return Number.isSafeInteger(all) ? all : null;
}

export type Parameters = Record<string, string | number | boolean | readonly string[]>;

/**
 * `gen_ai.request.*`.
 *
 * @param names [name in the body, name of the attribute]
 */
export function readParameters(body: JsonObject, names: readonly (readonly [string, string])[]): Parameters {
  const found: Parameters = {};
  for (const [field, name] of names) {
    const value = body[field];
    if (name === "choice.count" && (typeof value !== "number" || value === 1)) continue;
    if (LISTS.has(name)) {
      const list =
        typeof value === "string" ? [value] : listOf(value).filter((one) => typeof one === "string");
      if (list.length > 0) found[name] = list as string[];
    } else if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
      found[name] = value;
    }
  }
  return found;
}

const LISTS = new Set(["stop_sequences", "encoding_formats"]);

/**
 * An error that is reported inside an answer: `{"error": {"code", "type", "message"}}`, or a string.
 *
 * @returns its code or type; null without an error
 */
export function errorOf(error: unknown): string | null {
  if (error === undefined || error === null || error === false) return null;
  if (isJsonObject(error)) {
    const code = error["code"];
    return (
      nameOf(code) ?? (typeof code === "number" ? String(code) : null) ?? nameOf(error["type"]) ?? "error"
    );
  }
  return "error";
}

/**
 * The error that a value of an answer reports: under `error`; the value itself, in an event of that name or where it says
 * so (Mistral and vLLM: `{"object": "error", "code", "type", "message"}`); or a gateway's `{"statusCode", "message"}`.
 *
 * @returns its code or type; null without an error
 */
export function errorIn(value: JsonObject, event: string | null): string | null {
  if (value["error"] !== undefined && value["error"] !== null) return errorOf(value["error"]);
  if (event === "error" || value["object"] === "error") return errorOf(value);
  const status = value["statusCode"];
  return typeof status === "number" && status >= 400 && "message" in value ? String(status) : null;
}

/** Id and model of the answer: the last that are said; Azure's first chunk says them empty. */
export function noteServed(found: FoundAnswer, value: JsonObject): void {
  found.id = nameOf(value["id"]) ?? found.id;
  found.model = nameOf(value["model"]) ?? found.model;
}

/** The dialect's mark of the end. */
export function noteEnd(found: FoundAnswer): void {
  found.complete = true;
  found.responses = 1;
}
