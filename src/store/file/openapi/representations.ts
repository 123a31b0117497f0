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
    const typeName = reading.references.schemaName(media["schema"]);
    const examples = readExamples(reading, media, at);
    const isForm = /^(application\/x-www-form-urlencoded|multipart\/form-data)/i.test(contentType);
    const formParameters = isForm ? formParametersOf(reading, media["schema"], [...at, "schema"]) : [];
    return {
      contentType,
      ...(typeName !== undefined && { schemaId: reading.options.schemaName, typeName }),
      // A schema written in place has no name to refer to: it travels with its representation.
      ...(typeName === undefined && isObject(media["schema"]) && { schema: media["schema"] }),
      ...(examples && { examples }),
      ...(formParameters.length > 0 && { formParameters }),
    };
  });
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
  const typeName = reading.references.schemaName(parameter["schema"]);
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
    ...(typeName !== undefined && { schemaId: reading.options.schemaName, typeName }),
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
