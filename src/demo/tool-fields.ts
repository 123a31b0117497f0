/** Reading what both APIs say alike: function tools, the choice among them, and the format of the answer. */
import { badParameter } from "./failure.ts";
import * as fields from "./fields.ts";
import type { Fields } from "./fields.ts";
import type { Format, Tool, ToolChoice } from "./prompt.ts";

/** Name and parameters of a function tool. */
export function readFunction(fn: Fields, path: string): Tool {
  const name = fields.requiredString(fn, "name", `${path}.name`);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw badParameter(
      `${path}.name`,
      "invalid_value",
      `Invalid '${path}.name': string does not match pattern. Expected a string that matches the pattern ` +
        "'^[a-zA-Z0-9_-]+$' and has at most 64 characters.",
    );
  }
  const parameters = fields.objectField(fn, "parameters", `${path}.parameters`) ?? undefined;
  refuseLargeSchema(parameters, `${path}.parameters`);
  return { name, parameters };
}

/** `auto`, `none` or `required`. */
export function plainToolChoice(choice: string): ToolChoice {
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  throw fields.notOneOf("tool_choice", choice, ["none", "auto", "required"]);
}

/** A choice narrowed to some tools: `{ mode, tools }`. */
export function allowedTools(allowed: Fields, path: string, nameOf: (tool: Fields) => unknown): ToolChoice {
  const mode = fields.requiredString(allowed, "mode", `${path}.mode`);
  if (mode !== "auto" && mode !== "required")
    throw fields.notOneOf(`${path}.mode`, mode, ["auto", "required"]);
  const names: string[] = [];
  for (const [i, value] of (fields.arrayField(allowed, "tools", `${path}.tools`) ?? []).entries()) {
    const name = nameOf(fields.elementFields(value, `${path}.tools[${i}]`));
    if (typeof name === "string") names.push(name);
  }
  return { names, must: mode === "required" };
}

export function namedTool(name: string, tools: readonly Tool[], param: string): ToolChoice {
  if (tools.some((tool) => tool.name === name)) return { names: [name], must: true };
  throw badParameter(param, null, `Tool choice '${name.slice(0, 80)}' not found in 'tools' parameter.`);
}

/** @param nested `{ name, schema }` stands in `json_schema` (chat), not in the format itself (responses) */
export function formatOf(format: Fields, path: string, nested: boolean): Format {
  const type = fields.requiredString(format, "type", `${path}.type`);
  if (type === "text" || type === "json_object") return { type };
  if (type !== "json_schema") {
    throw fields.notOneOf(`${path}.type`, type, ["json_object", "json_schema", "text"]);
  }
  const at = nested ? `${path}.json_schema` : path;
  const wrapper = nested ? fields.objectField(format, "json_schema", at) : format;
  if (wrapper === null) throw fields.missing(at);
  fields.requiredString(wrapper, "name", `${at}.name`);
  const schema = wrapper["schema"] ?? {};
  refuseLargeSchema(schema, `${at}.schema`);
  return { type, schema };
}

/** Characters of JSON; keeps the work of building an example small. */
const MAX_SCHEMA = 100_000;

function refuseLargeSchema(schema: unknown, path: string): void {
  if (schema === undefined || JSON.stringify(schema).length <= MAX_SCHEMA) return;
  throw badParameter(
    path,
    "invalid_json_schema",
    `Invalid '${path}': the schema exceeds ${MAX_SCHEMA} characters.`,
  );
}
