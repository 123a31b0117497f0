/**
 * The only place that knows ajv. Ajv makes a function from each schema with `new Function`: schemas come from the
 * configuration, never from a message, and ajv escapes what it writes. Patterns run on our own engine for regular
 * expressions, which has a budget, so no text can keep a pattern busy.
 *
 * A schema is compiled when it is first used, once for as long as its document stays the same object.
 */
import { Ajv, type ErrorObject, MissingRefError, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { engineFor } from "../compiler/runtime/library/regex/engine.ts";
import { BODY_LIMITS } from "../gateway/body-limits.ts";
import type { SchemaDocument, SchemaUse, StoredSchema } from "../gateway/snapshot.ts";
import { type SchemaChanges, inDialect } from "./dialect.ts";
import { describe } from "./schema-words.ts";

export interface SchemaMistake {
  /** In Newtonsoft's words, with a full stop. */
  readonly text: string;
  /** Names and indexes, outermost first. */
  readonly path: readonly string[];
}

/** @returns the first mistake, or null; throws when validating took too long */
export type JsonCheck = (data: unknown) => SchemaMistake | null;

export type CompiledSchema =
  | { readonly ok: true; readonly check: JsonCheck }
  | { readonly ok: false; readonly what: Missing; readonly cause: string };

/** The document cannot be used, has no definitions at all, or not this one. */
export type Missing = "schema" | "definitions" | "definition";

export const UNCHANGED: SchemaChanges = { additionalProperties: null, foldNames: false };

/** Larger documents are refused, as in the product. */
const MOST_CHARACTERS = 4 * 1024 * 1024;
const DOCUMENT = "headgate:document";

const compiled = new WeakMap<SchemaDocument, Map<string, CompiledSchema>>();
const instances = new WeakMap<SchemaDocument, Map<string, Ajv>>();

/**
 * @param stored schemas that documents may refer to as `/schemas/{name}`
 */
export function schemaFor(
  use: SchemaUse,
  stored: ReadonlyMap<string, StoredSchema>,
  changes: SchemaChanges = UNCHANGED,
): CompiledSchema {
  const { document, pointer } = use;
  if (document === null) return { ok: false, what: "schema", cause: "There is no such schema." };
  const variant = `${changes.additionalProperties ?? ""} ${changes.foldNames}`;
  const key = `${variant} ${pointer}`;
  let known = compiled.get(document);
  if (known === undefined) compiled.set(document, (known = new Map()));
  let result = known.get(key);
  if (result === undefined) known.set(key, (result = compile(document, pointer, variant, changes, stored)));
  return result;
}

function compile(
  document: SchemaDocument,
  pointer: string,
  variant: string,
  changes: SchemaChanges,
  stored: ReadonlyMap<string, StoredSchema>,
): CompiledSchema {
  if (!hasPointer(document, pointer))
    return { ok: false, what: missingAt(document, pointer), cause: `There is no ${pointer}.` };
  try {
    const ajv = instanceFor(document, variant, changes);
    const validate = compileWith(ajv, pointer, changes, stored);
    return { ok: true, check: (data) => run(validate, data) };
  } catch (error) {
    return { ok: false, what: "schema", cause: error instanceof Error ? error.message : String(error) };
  }
}

function instanceFor(document: SchemaDocument, variant: string, changes: SchemaChanges): Ajv {
  let variants = instances.get(document);
  if (variants === undefined) instances.set(document, (variants = new Map()));
  let ajv = variants.get(variant);
  if (ajv === undefined) {
    if (JSON.stringify(document).length > MOST_CHARACTERS) throw new Error("The schema is larger than 4 MB.");
    ajv = createAjv(document);
    ajv.addSchema(withoutId(inDialect(document, changes)), DOCUMENT);
    variants.set(variant, ajv);
  }
  return ajv;
}

/** Its own name would compete with ours. */
function withoutId(schema: unknown): Record<string, unknown> {
  const { $id: _, ...rest } = schema as Record<string, unknown>;
  return rest;
}

function createAjv(document: SchemaDocument): Ajv {
  const options: Options = {
    strict: false,
    verbose: true,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    inlineRefs: false,
    logger: false,
    ownProperties: true,
    unicodeRegExp: false,
    code: { regExp: Object.assign(patternFor, { code: "headgatePattern" }) },
  };
  const isNew =
    /2019-09|2020-12/.test(String(document["$schema"] ?? "")) ||
    String(document["openapi"] ?? "").startsWith("3.1");
  const ajv = isNew ? (new Ajv2020(options) as unknown as Ajv) : new Ajv(options);
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: checkUnique,
    errors: true,
  });
  return ajv;
}

/** Adds the stored schemas that it turns out to refer to. */
function compileWith(
  ajv: Ajv,
  pointer: string,
  changes: SchemaChanges,
  stored: ReadonlyMap<string, StoredSchema>,
): ValidateFunction {
  const fragment = pointer === "#" ? "" : `#${pointer.slice(1).split("/").map(encodeURIComponent).join("/")}`;
  for (let turns = 0; ; turns++) {
    try {
      return ajv.compile({ $ref: DOCUMENT + fragment });
    } catch (error) {
      if (!(error instanceof MissingRefError) || turns > stored.size) throw error;
      const name = /^(?:headgate:)?\/?schemas\/([^/]+)$/.exec(error.missingSchema)?.[1];
      const document =
        name === undefined ? undefined : stored.get(decodeURIComponent(name).toLowerCase())?.document;
      if (document == null || ajv.schemas[error.missingSchema] !== undefined) throw error;
      ajv.addSchema(withoutId(inDialect(document, changes)), error.missingSchema);
    }
  }
}

function run(validate: ValidateFunction, data: unknown): SchemaMistake | null {
  beginEvaluation(BODY_LIMITS);
  if (validate(data) === true) return null;
  // The last one is the outermost: `anyOf` stands after what its parts complained about.
  const error = validate.errors?.at(-1);
  if (error === undefined) return { text: "JSON does not match schema.", path: [] };
  return { text: describe(error), path: pathOf(error) };
}

function pathOf({ instancePath, keyword, params }: ErrorObject): string[] {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const extra: unknown = keyword === "additionalProperties" ? params["additionalProperty"] : undefined;
  return typeof extra === "string" ? [...path, extra] : path;
}

const hasPointer = (document: SchemaDocument, pointer: string): boolean =>
  at(document, pointer) !== undefined;

/** Where documents keep what can be referred to by name. */
const DEFINITIONS = /^(#\/(?:definitions|\$defs|components\/schemas))\/[^/]*$/;

function missingAt(document: SchemaDocument, pointer: string): Missing {
  const place = DEFINITIONS.exec(pointer)?.[1];
  if (place === undefined) return "definition";
  const definitions = at(document, place);
  const isThere =
    typeof definitions === "object" && definitions !== null && Object.keys(definitions).length > 0;
  return isThere ? "definition" : "definitions";
}

/** undefined: there is nothing. */
function at(document: SchemaDocument, pointer: string): unknown {
  let found: unknown = document;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** ajv asks for something like a `RegExp`; its text is the key under which ajv keeps it. */
function patternFor(pattern: string): { test(text: string): boolean; toString(): string } & RegExp {
  beginEvaluation(BODY_LIMITS);
  const engine = engineFor(pattern, 0);
  return {
    test: (text: string) => engine.over(text, Infinity).test(0),
    toString: () => `/${pattern}/`,
  } as unknown as RegExp;
}

/** In the time of the list's length; ajv's own compares each with each. */
const checkUnique: { (schema: boolean, data: unknown[]): boolean; errors?: Partial<ErrorObject>[] } = (
  schema,
  data,
) => {
  if (!schema) return true;
  const seen = new Set<string>();
  for (let i = 0; i < data.length; i++) {
    const text = canonical(data[i]);
    if (seen.has(text)) {
      checkUnique.errors = [{ keyword: "uniqueItems", params: { i } }];
      return false;
    }
    seen.add(text);
  }
  return true;
};

/** Equal values, equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}
