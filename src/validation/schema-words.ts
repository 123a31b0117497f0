/** Ajv's errors in the words of Newtonsoft's JSON Schema, which is what authors and clients of the product read. */
import type { ErrorObject } from "ajv";

/** One sentence or two, without a place. */
export function describe(error: ErrorObject): string {
  const { keyword, params, data, schema, parentSchema } = error;
  switch (keyword) {
    case "type":
      return `Invalid type. Expected ${typesOf(schema)} but got ${typeName(data, schema)}.`;
    case "required":
      return `Required properties are missing from object: ${missing(data, schema, params["missingProperty"])}.`;
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name = params["additionalProperty"] ?? params["unevaluatedProperty"];
      return `Property '${name}' has not been defined and the schema does not allow additional properties.`;
    }
    case "enum":
      return `Value ${short(data)} is not defined in enum.`;
    case "const":
      return `Value ${short(data)} does not match const.`;
    case "pattern":
      return `String '${cut(data)}' does not match regex pattern '${schema}'.`;
    case "format":
      return `String '${cut(data)}' does not validate against format '${schema}'.`;
    case "minLength":
      return `String '${cut(data)}' is less than minimum length of ${schema}.`;
    case "maxLength":
      return `String '${cut(data)}' exceeds maximum length of ${schema}.`;
    case "minimum":
      return `${typeName(data)} ${data} is less than minimum value of ${schema}.`;
    case "maximum":
      return `${typeName(data)} ${data} exceeds maximum value of ${schema}.`;
    case "exclusiveMinimum":
      return data === schema
        ? `${typeName(data)} ${data} equals minimum value of ${schema} and exclusive minimum is true.`
        : `${typeName(data)} ${data} is less than minimum value of ${schema}.`;
    case "exclusiveMaximum":
      return data === schema
        ? `${typeName(data)} ${data} equals maximum value of ${schema} and exclusive maximum is true.`
        : `${typeName(data)} ${data} exceeds maximum value of ${schema}.`;
    case "multipleOf":
      return `${typeName(data)} ${data} is not a multiple of ${schema}.`;
    case "minItems":
      return `Array item count ${size(data)} is less than minimum count of ${schema}.`;
    case "maxItems":
      return `Array item count ${size(data)} exceeds maximum count of ${schema}.`;
    case "uniqueItems":
      return `Non-unique array item at index ${params["i"]}.`;
    case "minProperties":
      return `Object property count ${size(data)} is less than minimum count of ${schema}.`;
    case "maxProperties":
      return `Object property count ${size(data)} exceeds maximum count of ${schema}.`;
    case "anyOf":
      return "JSON does not match any schemas from 'anyOf'.";
    case "oneOf":
      return oneOf(params["passingSchemas"]);
    case "not":
      return "JSON is valid against schema from 'not'.";
    case "contains":
      return "No items match contains.";
    case "false schema":
      return "Schema always fails validation.";
    case "propertyNames":
      return `Property name '${params["propertyName"]}' does not match schema.`;
    case "if":
      return `JSON does not match schema from '${params["failingKeyword"]}'.`;
    case "dependentRequired":
    case "dependencies":
      return `Dependencies for property '${params["property"]}' failed. Missing required keys: ${params["deps"]}.`;
    default:
      return `JSON does not match schema${parentSchema === undefined ? "" : ` keyword '${keyword}'`}.`;
  }
}

function oneOf(passing: unknown): string {
  return Array.isArray(passing)
    ? `JSON is valid against more than one schema from 'oneOf'. Valid schema indexes: ${passing.join(", ")}.`
    : "JSON is valid against no schemas from 'oneOf'.";
}

const NAMES: Readonly<Record<string, string>> = {
  string: "String",
  integer: "Integer",
  number: "Number",
  boolean: "Boolean",
  object: "Object",
  array: "Array",
  null: "Null",
};

function typesOf(schema: unknown): string {
  return (Array.isArray(schema) ? schema : [schema])
    .map((type) => NAMES[String(type)] ?? String(type))
    .join(", ");
}

function typeName(data: unknown, expected?: unknown): string {
  if (data === null) return "Null";
  if (Array.isArray(data)) return "Array";
  if (typeof data !== "number") return NAMES[typeof data] ?? "Object";
  return Number.isInteger(data) && expected !== "integer" ? "Integer" : "Number";
}

/** All that are missing, as far as they fit. */
function missing(data: unknown, schema: unknown, first: unknown): string {
  if (!Array.isArray(schema) || typeof data !== "object" || data === null) return String(first);
  const names = schema.filter((name) => typeof name === "string" && !Object.hasOwn(data, name));
  return names.length === 0 ? String(first) : names.join(", ");
}

function size(data: unknown): number {
  return Array.isArray(data) ? data.length : Object.keys(data as object).length;
}

const LONGEST = 200;

function cut(data: unknown): string {
  const text = String(data);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A scalar as JSON. */
function short(data: unknown): string {
  if (typeof data === "object" && data !== null) return Array.isArray(data) ? "[…]" : "{…}";
  return cut(JSON.stringify(data));
}
