/** What an API's specification brings: operations, a schema, and what the API itself does not say. */
import { createHash } from "node:crypto";
import type { ApiProperties } from "../../contract/apis.ts";
import type { OpenProperties } from "../../contract/resource.ts";
import * as ids from "../ids.ts";
import { kindOfType } from "../kinds/index.ts";
import { problem } from "../messages.ts";
import type { Locate } from "../resource-set.ts";
import { combine, type Draft, type DraftSet } from "./draft-set.ts";
import type { Artifact } from "./layout.ts";
import { type ImportedApi, importOpenApi } from "./openapi/import.ts";
import { parseStructured } from "./read.ts";
import type { FileEntry } from "./scan.ts";
import { remade } from "./remade.ts";
import { type ParsedFile, SourceText } from "./source.ts";

/** The properties of a draft with its overrides. */
export type Overridden = (draft: Draft) => OpenProperties;

export function readSpecification(
  set: DraftSet,
  { id, specification: entry }: Artifact,
  overridden: Overridden,
): void {
  const api = set.get(id)!;
  const merged = overridden(api) as ApiProperties;
  const type = String(merged.type ?? merged.apiType ?? "http").toLowerCase();
  if (type === "websocket") addHandshake(set, api);
  const inline =
    entry === undefined &&
    typeof merged.value === "string" &&
    /^(openapi|swagger)/i.test(String(merged.format));
  if (!entry && !inline) return;
  const extension = entry?.name.slice(entry.name.lastIndexOf(".") + 1).toLowerCase() ?? "";
  if (extension === "graphql" || extension === "gql") {
    addGraphqlSchema(set, api, entry!);
  } else if (["wsdl", "wadl", "xml"].includes(extension)) {
    set.problems.push(problem("HG5308", { file: entry!.name }, { file: entry!.file }));
  } else if (!["websocket", "mcp", "a2a"].includes(type)) {
    const parsed = entry ? set.parse(entry, false) : inlineSpecification(api, merged);
    if (!entry) set.problems.push(...parsed!.problems);
    if (parsed?.value !== undefined)
      addOpenApi(set, api, merged, parsed, entry ? set.cache.get(entry).hash : api.hash);
  }
}

function addOpenApi(
  set: DraftSet,
  api: Draft,
  properties: ApiProperties,
  parsed: ParsedFile,
  hash: string,
): void {
  const schemaName = createHash("sha256").update(ids.idKey(api.id)).digest("hex").slice(0, 24);
  const mode =
    String(properties.translateRequiredQueryParameters).toLowerCase() === "query" ? "query" : "template";
  const imported = importCached(parsed, schemaName, mode);
  set.problems.push(...imported.problems);
  for (const operation of imported.operations) {
    set.add({
      kind: kindOfType("apis/operations")!,
      id: ids.childId(api.id, "operations", operation.name),
      file: parsed.source.file,
      hash,
      properties: operation.properties,
      locate: () => parsed.locate(operation.path, { key: true }),
      trusted: true,
    });
  }
  if (imported.schema) {
    const kind = kindOfType("apis/schemas")!;
    const id = ids.childId(api.id, "schemas", schemaName);
    const locate: Locate = () => parsed.locate(["components", "schemas"], { key: true });
    if (!set.get(id)) {
      set.add({
        kind,
        id,
        file: parsed.source.file,
        hash,
        properties: imported.schema,
        locate,
        trusted: true,
      });
    }
  }
  // What the API says itself always wins over its specification.
  const given = api.properties as ApiProperties;
  const extra: ApiProperties = {};
  if (!given.serviceUrl && imported.serviceUrl) extra.serviceUrl = imported.serviceUrl;
  if (!given.displayName && imported.title) extra.displayName = imported.title.slice(0, 300);
  if (given.description === undefined && imported.description) extra.description = imported.description;
  if (Object.keys(extra).length === 0) return;
  api.properties = remade(given, imported, () => ({ ...given, ...extra }));
  api.hash = api.hash && combine(api.hash, hash);
}

function addGraphqlSchema(set: DraftSet, api: Draft, entry: FileEntry): void {
  const { text, hash } = set.text(entry);
  const properties = remade(set.cache.get(entry), "graphql", () => ({
    contentType: "application/vnd.ms-azure-apim.graphql.schema",
    document: { value: text ?? "" },
  }));
  const kind = kindOfType("apis/schemas")!;
  const locate: Locate = () => ({ file: entry.file });
  set.add({
    kind,
    id: ids.childId(api.id, "schemas", "graphql"),
    file: entry.file,
    hash,
    properties,
    locate,
    trusted: true,
  });
}

const HANDSHAKE: OpenProperties = { displayName: "onHandshake", method: "GET", urlTemplate: "/*" };

/** The one operation every WebSocket API has; policies hang on it. */
function addHandshake(set: DraftSet, api: Draft): void {
  const id = ids.childId(api.id, "operations", "onHandshake");
  set.add({
    kind: kindOfType("apis/operations")!,
    id,
    file: api.file,
    hash: api.hash,
    properties: HANDSHAKE,
    locate: api.locate,
    trusted: true,
  });
}

/** Imports by parsed file: an unchanged specification is not imported again. */
const imports = new WeakMap<ParsedFile, Map<string, ImportedApi>>();

function importCached(parsed: ParsedFile, schemaName: string, mode: "template" | "query"): ImportedApi {
  const byOptions = imports.get(parsed) ?? new Map<string, ImportedApi>();
  imports.set(parsed, byOptions);
  const key = `${schemaName} ${mode}`;
  let imported = byOptions.get(key);
  if (!imported) {
    imported = importOpenApi(parsed, { schemaName, requiredQueryParameters: mode });
    byOptions.set(key, imported);
  }
  return imported;
}

/** `format` and `value` inside the API: what the management REST calls an import. */
function inlineSpecification(api: Draft, properties: ApiProperties): ParsedFile {
  const isJson = /json/i.test(String(properties.format));
  const parsed = parseStructured(isJson ? "value.json" : "value.yaml", properties.value!);
  const location = api.locate(["value"]) ?? { file: api.file };
  const problems = parsed.problems.map((found) => ({ ...found, file: location.file, range: location.range }));
  const source = new SourceText(location.file, "");
  return { ...parsed, problems, source, locate: () => location };
}
