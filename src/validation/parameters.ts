/** Header, query and path values against their description (`policies.md` 45–47). */
import type { ParameterRule, SchemaUse, StoredSchema } from "../gateway/snapshot.ts";
import { type Action, type Finding, schemaFault } from "./findings.ts";
import { type SchemaMistake, schemaFor } from "./json-schema.ts";
import { placeOf, tooMuchJson } from "./json-text.ts";

export type ParameterType = "QueryParameter" | "PathParameter" | "RequestHeader" | "ResponseHeader";

const WORDS: Readonly<Record<ParameterType, string>> = {
  QueryParameter: "query parameter",
  PathParameter: "path parameter",
  RequestHeader: "header",
  ResponseHeader: "header",
};

export function unspecified(type: ParameterType, name: string, action: Action): Finding {
  const details = `Unspecified ${WORDS[type]} ${name} is not allowed.`;
  return { name, type, rule: "Unspecified", details, shown: details, action };
}

export function missing(type: ParameterType, name: string, action: Action): Finding {
  const details = `Required ${WORDS[type]} ${name} is missing.`;
  return { name, type, rule: "IncorrectMessage", details, shown: details, action };
}

/**
 * @param values as received, decoded; one per field line or repetition, at least one
 * @returns what is wrong, or null
 */
export function checkParameter(
  rule: ParameterRule,
  type: ParameterType,
  values: readonly string[],
  action: Action,
  stored: ReadonlyMap<string, StoredSchema>,
): Finding | null {
  const what = `${WORDS[type]} ${rule.name}`;
  const wrong = (kind: Finding["rule"], details: string, shown: string | null = details): Finding => ({
    name: rule.name,
    type,
    rule: kind,
    details,
    shown,
    action,
  });
  const compiled = rule.schema === null ? null : schemaFor(rule.schema, stored);
  if (compiled !== null && !compiled.ok) {
    if (compiled.what !== "definition") return schemaFault(compiled.what, action);
    return wrong(
      "MissingDefinition",
      `API's schema does not contain definition ${rule.schema!.name}, which is associated with the ${what}.`,
      null,
    );
  }
  const wanted = typeOf(rule, values);
  if (values.length > 1 && wanted !== "array") {
    return wrong(
      "IncorrectMessage",
      `${type === "ResponseHeader" ? "Response" : "Request"} cannot contain multiple values for the ${what}.`,
    );
  }
  const read = readValue(rule, wanted, values);
  if (!read.ok)
    return wrong(
      "IncorrectMessage",
      `Value of the ${what} cannot be parsed according to the definition. ${read.reason}`,
    );
  const mistake = notListed(rule, values) ?? checked(compiled?.check, read.value);
  if (mistake === null) return null;
  if (mistake instanceof Error)
    return wrong("ValidationError", `${capital(what)} cannot be validated. ${mistake.message}`, null);
  const text = wanted === "object" ? values[0]! : JSON.stringify(read.value);
  const { line, position } = placeOf(text, mistake.path);
  const rest = `alue of the ${what} does not conform to the definition. ${mistake.text} Line: ${line}, Position: ${position}`;
  return wrong("IncorrectMessage", `V${rest}`, `The v${rest}`);
}

function checked(
  check: ((data: unknown) => SchemaMistake | null) | undefined,
  value: unknown,
): SchemaMistake | Error | null {
  if (check === undefined) return null;
  try {
    return check(value);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function notListed({ values: allowed }: ParameterRule, values: readonly string[]): SchemaMistake | null {
  const other = allowed.length === 0 ? undefined : values.find((value) => !allowed.includes(value));
  return other === undefined
    ? null
    : { text: `Value ${JSON.stringify(other)} is not defined in enum.`, path: [] };
}

const KNOWN = new Set(["string", "integer", "number", "boolean", "array", "object"]);

/** What the description says; else what its schema says, of several types the one that the value has. */
function typeOf({ type, schema }: ParameterRule, values: readonly string[]): string {
  if (KNOWN.has(type) && type !== "string") return type;
  return fittingType(typesOf(schemaAt(schema), schema), values);
}

function fittingType(types: ReadonlySet<string>, values: readonly string[]): string {
  if (types.size <= 1) return [...types][0] ?? "string";
  if (values.length > 1 && types.has("array")) return "array";
  const scalars = ["integer", "number", "boolean"].filter((type) => types.has(type));
  return (
    scalars.find((type) => readScalar(type, values[0]!).ok) ??
    (types.has("string") ? "string" : [...types][0]!)
  );
}

const DEEP = 8;

/** Types that a schema or one of its alternatives names; empty when nobody does. */
function typesOf(schema: unknown, use: SchemaUse | null, found = new Set<string>(), depth = 0): Set<string> {
  if (typeof schema !== "object" || schema === null || depth > DEEP) return found;
  const { type, $ref, allOf, anyOf, oneOf } = schema as Readonly<Record<string, unknown>>;
  for (const one of Array.isArray(type) ? type : [type])
    if (typeof one === "string" && KNOWN.has(one)) found.add(one);
  if (found.size > 0 && depth === 0) return found;
  if (typeof $ref === "string" && $ref.startsWith("#") && use !== null)
    typesOf(schemaAt({ ...use, pointer: $ref }), use, found, depth + 1);
  for (const list of [allOf, anyOf, oneOf])
    if (Array.isArray(list)) for (const one of list.slice(0, 20)) typesOf(one, use, found, depth + 1);
  return found;
}

/** The definition, references followed. */
function schemaAt(use: SchemaUse | null): unknown {
  let pointer = use?.pointer ?? "";
  for (let turns = 0; turns < 20; turns++) {
    let at: unknown = use?.document ?? null;
    for (const part of pointer.split("/").slice(1)) {
      if (typeof at !== "object" || at === null) return null;
      at = (at as Record<string, unknown>)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    const next = typeof at === "object" && at !== null ? (at as { readonly $ref?: unknown }).$ref : undefined;
    if (typeof next !== "string" || !next.startsWith("#")) return at;
    pointer = next;
  }
  return null;
}

function itemsOf(use: SchemaUse | null): unknown {
  const schema = schemaAt(use);
  return typeof schema === "object" && schema !== null
    ? (schema as { readonly items?: unknown }).items
    : undefined;
}

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

function readValue(rule: ParameterRule, type: string, values: readonly string[]): Read {
  if (type !== "array") return readScalar(type, values[0]!);
  const items = values.length > 1 ? values : values[0]!.split(",").map((item) => item.trim());
  const types = typesOf(itemsOf(rule.schema), rule.schema);
  const read = items.map((item) => readScalar(fittingType(types, [item]), item));
  return read.find(({ ok }) => !ok) ?? { ok: true, value: read.map((one) => (one.ok ? one.value : null)) };
}

function readScalar(type: string, text: string): Read {
  const no = (what: string): Read => ({ ok: false, reason: `'${text.slice(0, 100)}' is not ${what}.` });
  switch (type) {
    case "integer":
      return /^[+-]?\d{1,300}$/.test(text) ? { ok: true, value: Number(text) } : no("an integer");
    case "number":
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text) && text.length <= 400
        ? { ok: true, value: Number(text) }
        : no("a number");
    case "boolean":
      return /^(?:true|false)$/i.test(text)
        ? { ok: true, value: text.toLowerCase() === "true" }
        : no("a boolean");
    case "object":
      return readObject(text);
    default:
      return { ok: true, value: text };
  }
}

function readObject(text: string): Read {
  const tooMuch = tooMuchJson(text);
  if (tooMuch !== null) return { ok: false, reason: tooMuch };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: `${(error as Error).message}.` };
  }
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
