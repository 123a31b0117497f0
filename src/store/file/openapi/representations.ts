/** Bodies and parameters of an OpenAPI 3 document, examples included: `mock-response` needs those. */
import type { ParameterContract, ParameterExample, Representation } from "../../../contract/apis.ts";
import { isObject, type PropertyPath } from "../../kinds/shape.ts";
import type { Reading } from "./operations.ts";

export function readRepresentations(
  reading: Reading,
  content: unknown,
  path: PropertyPath,
): Representation[] {
  if (!isObject(content)) return [];
  return Object.entries(content).map(([contentType, value]) => {
    const at = [...path, contentType];
    const media = reading.references.follow(value, at) ?? {};
    const examples = readExamples(reading, media, at);
    const isForm = /^(application\/x-www-form-urlencoded|multipart\/form-data)/i.test(contentType);
    const formParameters = isForm ? formParametersOf(reading, media["schema"], [...at, "schema"]) : [];
    return {
      contentType,
      ...schemaOf(reading, media["schema"]),
      ...(examples && { examples }),
      ...(formParameters.length > 0 && { formParameters }),
    };
  });
}

/**
 * The name of a schema; or, for one that is written in place and has none, the schema itself, with the place that its
 * references lead to.
 */
function schemaOf({ references, options }: Reading, schema: unknown): Partial<Representation> {
  const schemaId = options.schemaName;
  const typeName = references.schemaName(schema);
  if (typeName !== undefined) return { schemaId, typeName };
  if (!isObject(schema)) return {};
  return refersTo(schema) ? { schemaId, schema } : { schema };
}

/** Members of a schema that a parameter tells by itself. */
const TOLD = new Set([
  "type",
  "description",
  "default",
  "enum",
  "example",
  "examples",
  "title",
  "deprecated",
]);

function saysMore(schema: unknown): boolean {
  return isObject(schema) && Object.keys(schema).some((name) => !TOLD.has(name) && !name.startsWith("x-"));
}

/** Lists with commas or as repeated names. Of other styles nobody makes the value that a schema describes. */
function isWrittenPlainly({ style }: Record<string, unknown>): boolean {
  return style === undefined || style === "form" || style === "simple";
}

function refersTo(schema: object): boolean {
  return JSON.stringify(schema).includes('"$ref"');
}

/** `example` of the media type counts as the example called `default`, like in the cloud. */
function readExamples(reading: Reading, holder: Record<string, unknown>, path: PropertyPath) {
  const examples: { [name: string]: ParameterExample } = {};
  const named = holder["examples"];
  if (isObject(named)) {
    for (const [name, entry] of Object.entries(named)) {
      const example = reading.references.follow(entry, [...path, "examples", name]);
      if (!example || name === "__proto__") continue;
      examples[name] = {
        ...(typeof example["summary"] === "string" && { summary: example["summary"] }),
        ...(typeof example["description"] === "string" && { description: example["description"] }),
        ...("value" in example && { value: example["value"] }),
        ...(typeof example["externalValue"] === "string" && { externalValue: example["externalValue"] }),
      };
    }
  }
  if (holder["example"] !== undefined && examples["default"] === undefined) {
    examples["default"] = { value: holder["example"] };
  }
  return Object.keys(examples).length > 0 ? examples : undefined;
}

function formParametersOf(reading: Reading, schema: unknown, path: PropertyPath): ParameterContract[] {
  const target = reading.references.follow(schema, path);
  if (!target || !isObject(target["properties"])) return [];
  const required = Array.isArray(target["required"]) ? target["required"] : [];
  return Object.entries(target["properties"]).map(([name, property]) => ({
    ...toParameter(reading, name, { schema: property }, [...path, "properties", name]),
    required: required.includes(name),
  }));
}

/** A parameter or header object → the contract's parameter. */
export function toParameter(
  reading: Reading,
  name: string,
  parameter: Record<string, unknown>,
  path: PropertyPath,
): ParameterContract {
  const schema = reading.references.follow(parameter["schema"], [...path, "schema"]) ?? {};
  const description = parameter["description"] ?? schema["description"];
  const fallback = schema["default"];
  const values = Array.isArray(schema["enum"]) ? schema["enum"].filter(isPlain).map(String) : [];
  const examples = readExamples(reading, parameter, path);
  return {
    name,
    type: typeOf(schema),
    ...(typeof description === "string" && { description }),
    ...(parameter["required"] === true && { required: true }),
    ...(isPlain(fallback) && { defaultValue: String(fallback) }),
    ...(values.length > 0 && { values }),
    ...(isWrittenPlainly(parameter) &&
      saysMore(parameter["schema"]) &&
      schemaOf(reading, parameter["schema"])),
    ...(examples && { examples }),
  };
}

/** `["integer", "null"]` of OpenAPI 3.1 is an integer. */
function typeOf(schema: Record<string, unknown>): string {
  const type = schema["type"];
  const first = Array.isArray(type) ? type.find((candidate) => candidate !== "null") : type;
  return typeof first === "string" ? first : "string";
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
