/**
 * Tool definitions as text. OpenAI shows functions to its models as TypeScript, in a namespace: found out by asking the models,
 * and confirmed by the token counts it reports. Everything else, and everyone else's tools, count as their JSON.
 */
import { jsonText } from "./json-text.ts";

type Json = Readonly<Record<string, unknown>>;

/** Schemas may nest deeper than anybody means; beyond this a type is `any`. */
const DEEPEST = 32;

export interface RenderedTools {
  readonly texts: readonly string[];
  /** Functions were rendered as a namespace, which has its own frame. */
  readonly namespace: boolean;
}

/** As the model sees them; `asTypes` for OpenAI. */
export function renderTools(tools: readonly unknown[], asTypes: boolean): RenderedTools {
  if (!asTypes) return { texts: tools.map(jsonText), namespace: false };
  const texts: string[] = [];
  const types: string[] = [];
  for (const tool of tools) {
    const definition = functionOf(tool);
    if (definition === null) texts.push(jsonText(tool));
    else types.push(functionType(definition));
  }
  if (types.length > 0) {
    texts.push(`namespace functions {\n\n${types.join("\n\n")}\n\n} // namespace functions`);
  }
  return { texts, namespace: types.length > 0 };
}

/** Chat Completions wraps a function in `function`, Responses does not, and `functions` never did. */
function functionOf(tool: unknown): Json | null {
  if (!isObject(tool)) return null;
  if (tool["type"] !== undefined && tool["type"] !== "function") return null;
  const definition = isObject(tool["function"]) ? tool["function"] : tool;
  return typeof definition["name"] === "string" ? definition : null;
}

function functionType(definition: Json): string {
  const description = definition["description"];
  const comment = typeof description === "string" && description !== "" ? `// ${description}\n` : "";
  const parameters = definition["parameters"];
  const name = definition["name"] as string;
  if (!isObject(parameters) || !hasProperties(parameters)) return `${comment}type ${name} = () => any;`;
  return `${comment}type ${name} = (_: {\n${properties(parameters, 0, 0)}\n}) => any;`;
}

function properties(schema: Json, indent: number, depth: number): string {
  const margin = " ".repeat(indent);
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const lines: string[] = [];
  for (const [name, property] of Object.entries(schema["properties"] as Json)) {
    const description = isObject(property) ? property["description"] : undefined;
    // Descriptions of what lies deeper are not shown to the model.
    if (typeof description === "string" && description !== "" && indent < 2) {
      lines.push(`${margin}// ${description}`);
    }
    lines.push(`${margin}${name}${required.has(name) ? "" : "?"}: ${typeOf(property, indent, depth + 1)},`);
  }
  return lines.join("\n");
}

function typeOf(schema: unknown, indent: number, depth: number): string {
  if (!isObject(schema) || depth > DEEPEST) return "any";
  const choices = schema["enum"];
  switch (schema["type"]) {
    case "string":
      return Array.isArray(choices) ? choices.map(jsonText).join(" | ") : "string";
    case "integer":
    case "number":
      return Array.isArray(choices) ? choices.map(jsonText).join(" | ") : "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array":
      return schema["items"] === undefined ? "any[]" : `${typeOf(schema["items"], indent, depth + 1)}[]`;
    case "object":
      if (!hasProperties(schema)) return "object";
      return `{\n${properties(schema, indent + 2, depth)}\n${" ".repeat(indent)}}`;
    default: {
      const variants = schema["anyOf"] ?? schema["oneOf"];
      if (!Array.isArray(variants)) return "any";
      return variants.map((variant) => typeOf(variant, indent, depth + 1)).join(" | ");
    }
  }
}

function hasProperties(schema: Json): boolean {
  return isObject(schema["properties"]) && Object.keys(schema["properties"]).length > 0;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
