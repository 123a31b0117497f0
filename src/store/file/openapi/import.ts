/**
 * OpenAPI 3.0, 3.1 and Swagger 2.0 → operations, as the cloud's importer makes them (spec "Resource
 * model" 3.8). A pure function of the document: no files, no network; `$ref` is followed only inside
 * the document, only where something is read, and never in circles. Schemas are not copied: the
 * resulting `apis/schemas` resource holds the document's own `components`.
 */
import { upgrade } from "@scalar/openapi-upgrader";
import type { Problem } from "../../../base/problem.ts";
import type { ApiSchemaProperties, OperationProperties } from "../../../contract/apis.ts";
import { describe, isObject, type PropertyPath } from "../../kinds/shape.ts";
import { problem } from "../../messages.ts";
import type { ParsedFile } from "../source.ts";
import { readOperations } from "./operations.ts";
import { References } from "./references.ts";

export interface ImportOptions {
  /** `template`: a required query parameter becomes part of the URL template. The default. */
  readonly requiredQueryParameters: "template" | "query";
  /** Name of the schema resource that representations refer to. */
  readonly schemaName: string;
}

export interface ImportedOperation {
  readonly name: string;
  readonly properties: OperationProperties;
  /** Where it stands in the document, e.g. `["paths", "/a", "get"]`. */
  readonly path: PropertyPath;
}

export interface ImportedApi {
  readonly title?: string;
  readonly description?: string;
  /** The first HTTPS server, else the first HTTP one; without variables. */
  readonly serviceUrl?: string;
  readonly operations: readonly ImportedOperation[];
  readonly schema?: ApiSchemaProperties;
  readonly problems: readonly Problem[];
}

const NOTHING: ImportedApi = { operations: [], problems: [] };

export function importOpenApi(file: ParsedFile, options: ImportOptions): ImportedApi {
  const problems: Problem[] = [];
  const document = toOpenApi3(file, problems);
  if (!document) return { ...NOTHING, problems };
  const references = new References(document, file, problems);
  const operations = readOperations(document, references, options, problems, file);
  const info = isObject(document["info"]) ? document["info"] : {};
  return {
    title: textOf(info["title"]),
    description: textOf(info["description"]),
    serviceUrl: serviceUrlOf(document),
    operations,
    schema: schemaOf(document),
    problems,
  };
}

/** Answers the document as OpenAPI 3; Swagger 2.0 is converted. */
function toOpenApi3(file: ParsedFile, problems: Problem[]): Record<string, unknown> | undefined {
  const document = file.value;
  if (!isObject(document)) {
    problems.push(problem("HG5301", { reason: `it holds ${describe(document)}` }, file.locate([])));
    return undefined;
  }
  const openapi = versionText(document["openapi"]);
  const swagger = versionText(document["swagger"]);
  const { paths } = document;
  if ((openapi ?? swagger) !== undefined && paths !== undefined && paths !== null && !isObject(paths)) {
    const reason = `\`paths\` holds ${describe(paths)}`;
    problems.push(
      problem("HG5301", { reason }, file.locate(["paths"]), "write each path as a name, as in `/orders:`"),
    );
    return undefined;
  }
  if (openapi !== undefined && /^3\.\d/.test(openapi)) return document;
  if (swagger !== undefined && /^2(\.|$)/.test(swagger)) return convert(document, file, problems);
  const at = file.locate(openapi !== undefined ? ["openapi"] : swagger !== undefined ? ["swagger"] : []);
  const reason = openapi ?? swagger;
  const said = reason === undefined ? "it has neither `openapi` nor `swagger`" : `version \`${reason}\``;
  problems.push(
    problem("HG5301", { reason: said }, at, 'the file starts with `openapi: "3.0.3"`, for example'),
  );
  return undefined;
}

function convert(document: Record<string, unknown>, file: ParsedFile, problems: Problem[]) {
  try {
    // A copy: parsed files are shared with later loads and the converter changes what it is given.
    return upgrade(structuredClone(document), "3.0") as unknown as Record<string, unknown>;
  } catch (error) {
    const reason =
      error instanceof RangeError ? "it is nested too deeply" : String((error as Error).message ?? error);
    problems.push(problem("HG5302", { reason }, file.locate([])));
    return undefined;
  }
}

function versionText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function serviceUrlOf(document: Record<string, unknown>): string | undefined {
  const servers = Array.isArray(document["servers"]) ? document["servers"] : [];
  const urls = servers.map((server) => (isObject(server) ? textOf(server["url"]) : undefined));
  const usable = urls.filter((url) => url !== undefined && /^https?:\/\/[^{}\s]+$/i.test(url));
  return usable.find((url) => /^https:/i.test(url!)) ?? usable[0];
}

function schemaOf(document: Record<string, unknown>): ApiSchemaProperties | undefined {
  const components = document["components"];
  if (!isObject(components) || !isObject(components["schemas"])) return undefined;
  return {
    contentType: "application/vnd.oai.openapi.components+json",
    document: { components: { schemas: components["schemas"] } },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
