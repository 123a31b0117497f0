/**
 * From recognised files to resources: parse, merge overrides, check. Specifications, list files and
 * policy documents become resources like any other.
 */
import { createHash } from "node:crypto";
import type { Problem } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { ApiProperties } from "../../contract/apis.ts";
import type { OpenProperties, Resource, ResourceId } from "../../contract/resource.ts";
import { checkProperties } from "../check-resource.ts";
import * as ids from "../ids.ts";
import { canonicalType, kindOf, kindOfType } from "../kinds/index.ts";
import type { ResourceKind } from "../kinds/kind.ts";
import { describe, isObject } from "../kinds/shape.ts";
import { didYouMean, problem } from "../messages.ts";
import type { Locate } from "../resource-set.ts";
import { breather } from "./breathe.ts";
import type { FileCache } from "./file-cache.ts";
import type { Artifact, Layout, ListFile } from "./layout.ts";
import { importOpenApi, type ImportedApi } from "./openapi/import.ts";
import { locateMerged, mergeProperties, type Override, type Overrides } from "./overrides.ts";
import type { FileEntry } from "./scan.ts";
import { REDACTED } from "./secrets.ts";
import type { ParsedFile } from "./source.ts";
import { parseStructured } from "./read.ts";

export interface Draft {
  readonly kind: ResourceKind;
  readonly id: ResourceId;
  /** The file the resource is told by. */
  readonly file: string;
  /** Of everything it was made from; empty when its file is broken. */
  hash: string;
  properties: OpenProperties;
  locate: Locate;
  /** Made by us from checked parts: its shape is right. */
  trusted?: boolean;
  readonly envelope?: OpenProperties;
}

export class DraftReader {
  readonly drafts = new Map<string, Draft>();
  readonly problems: Problem[] = [];
  readonly #cache: FileCache;
  readonly #overrides: Overrides;
  readonly #used = new Set<string>();
  /** Drafts by the key of their parent. */
  readonly #children = new Map<string, Set<Draft>>();

  constructor(cache: FileCache, overrides: Overrides) {
    this.#cache = cache;
    this.#overrides = overrides;
  }

  async read(layout: Layout): Promise<void> {
    const pause = breather();
    const specifications: Artifact[] = [];
    for (const artifact of layout.artifacts) {
      this.#artifact(artifact);
      if (artifact.kind.type === "apis") specifications.push(artifact);
      const wait = pause();
      if (wait) await wait;
    }
    for (const list of layout.lists) this.#listFile(list);
    // Operations of a specification come in its order, before those that only files define.
    const byFile = [...this.drafts.values()].filter((draft) => draft.kind.type === "apis/operations");
    for (const draft of byFile) this.#remove(draft);
    for (const artifact of specifications) {
      this.#specification(artifact);
      const wait = pause();
      if (wait) await wait;
    }
    for (const draft of byFile) {
      this.#operationFile(draft);
      const wait = pause();
      if (wait) await wait;
    }
    this.#inheritOperations();
    for (const draft of this.drafts.values()) {
      this.#finish(draft);
      const wait = pause();
      if (wait) await wait;
    }
    this.#unusedOverrides();
  }

  /** The drafts as resources, in order. */
  resources(): Resource[] {
    return [...this.drafts.values()].map((draft) => ({
      ...draft.envelope,
      id: draft.id,
      name: ids.nameOf(draft.id) || "service",
      type: canonicalType(draft.id),
      properties: draft.properties,
      etag: draft.hash,
    }));
  }

  add(draft: Draft): void {
    const key = ids.idKey(draft.id);
    const known = this.drafts.get(key);
    if (!known) {
      this.drafts.set(key, draft);
      const parent = ids.idKey(ids.parentId(draft.id) ?? "");
      const siblings = this.#children.get(parent);
      if (siblings) siblings.add(draft);
      else this.#children.set(parent, new Set([draft]));
      return;
    }
    // The same link in two layouts says nothing twice.
    if (draft.kind.references.some((field) => field.at === "")) return;
    const found = problem("HG4608", { noun: draft.kind.noun, name: ids.nameOf(draft.id) }, { file: draft.file });
    this.problems.push({ ...found, related: { file: known.file, message: "it is also defined here" } });
  }

  #remove(draft: Draft): void {
    this.drafts.delete(ids.idKey(draft.id));
    this.#children.get(ids.idKey(ids.parentId(draft.id) ?? ""))?.delete(draft);
  }

  #operationsOf(api: ResourceId): Draft[] {
    const children = this.#children.get(ids.idKey(api)) ?? [];
    return [...children].filter((draft) => draft.kind.type === "apis/operations");
  }

  #artifact(artifact: Artifact): void {
    const { kind, id, info, policy } = artifact;
    if (kind.type.endsWith("policies") && policy) {
      this.#policy(kind, id, policy);
      return;
    }
    const parsed = info && this.#parse(info, true);
    if (info && (!parsed || parsed.value === undefined)) {
      // It exists but is broken: keep its name, so that references to it are no further errors.
      this.add({ kind, id, file: info.file, hash: "", properties: {}, locate: () => ({ file: info.file }), trusted: true });
      return;
    }
    const draft = parsed ? this.#information(artifact, parsed) : this.#bare(artifact);
    if (policy) this.#fragmentDocument(draft, policy);
    this.add(draft);
  }

  /** A resource whose folder is all there is of it. */
  #bare({ kind, id, file }: Artifact): Draft {
    return { kind, id, file, hash: "", properties: {}, locate: () => ({ file }), trusted: kind.type === "apis" };
  }

  #information({ kind, id, info }: Artifact, parsed: ParsedFile): Draft {
    const { file } = info!;
    const hash = this.#cache.get(info!).hash;
    const locate: Locate = (path = [], options) => parsed.locate(["properties", ...path], options);
    const draft: Draft = { kind, id, file, hash, properties: {}, locate, envelope: {} };
    if (!isObject(parsed.value)) {
      this.problems.push(problem("HG5106", { expected: "an object", actual: describe(parsed.value) }, parsed.locate([])));
      return draft;
    }
    const { properties, ...envelope } = parsed.value;
    if (isObject(properties)) {
      draft.properties = properties;
      for (const name of Object.keys(envelope)) this.#besideProperties(kind, name, parsed);
    } else if (properties !== undefined) {
      const wrong = { property: "properties", expected: "an object", actual: describe(properties) };
      this.problems.push(problem("HG5201", wrong, parsed.locate(["properties"])));
    } else if (Object.keys(envelope).some((name) => Object.hasOwn(kind.shape.properties, name))) {
      const hint = 'put everything inside `"properties": { … }`';
      this.problems.push(problem("HG5207", {}, parsed.locate([]), hint));
      return { ...draft, trusted: true };
    }
    return kind.type === "service" ? { ...draft, envelope } : draft;
  }

  #besideProperties(kind: ResourceKind, name: string, parsed: ParsedFile): void {
    if (!Object.hasOwn(kind.shape.properties, name) || kind.type === "service" || name === "type") return;
    this.problems.push(problem("HG5206", { property: name }, parsed.locate([name], { key: true }), "move it inside"));
  }

  #policy(kind: ResourceKind, id: ResourceId, entry: FileEntry): void {
    const { text, problems, hash } = this.#cache.get(entry);
    this.problems.push(...problems);
    const locate: Locate = () => ({ file: entry.file });
    const properties = { format: "rawxml", ...(text !== undefined && { value: text }) };
    this.add({ kind, id, file: entry.file, hash, properties, locate, trusted: true });
    this.#warnOfMarker(text, { file: entry.file });
  }

  #fragmentDocument(draft: Draft, entry: FileEntry): void {
    const { text, problems, hash } = this.#cache.get(entry);
    this.problems.push(...problems);
    if (draft.properties["value"] !== undefined && draft.file !== entry.file) {
      this.problems.push(problem("HG5605", { file: entry.name }, draft.locate(["value"])));
    }
    const below = draft.locate;
    draft.locate = (path = [], options) => (path[0] === "value" ? { file: entry.file } : below(path, options));
    draft.properties = { ...draft.properties, format: "rawxml", value: text };
    draft.hash = combine(draft.hash, hash);
    this.#warnOfMarker(text, { file: entry.file });
  }

  #warnOfMarker(text: string | undefined, location: ReturnType<Locate>): void {
    if (text?.includes(REDACTED)) this.problems.push(problem("HG5408", {}, location, "use a named value, `{{name}}`"));
  }

  #listFile({ kind, parent, entry }: ListFile): void {
    const parsed = this.#parse(entry, true);
    if (parsed?.value === undefined) return;
    if (!Array.isArray(parsed.value)) {
      const wrong = { expected: 'a list such as `[{ "name": "…" }]`', actual: describe(parsed.value) };
      this.problems.push(problem("HG5106", wrong, parsed.locate([])));
      return;
    }
    const collection = kind.type.slice(kind.type.lastIndexOf("/") + 1);
    parsed.value.forEach((item: unknown, i) => {
      const name = isObject(item) ? item["name"] : item;
      const at = isObject(item) && name !== undefined ? [i, "name"] : [i];
      if (typeof name !== "string" || name === "") {
        this.problems.push(problem("HG5204", { noun: "this", name: "entry", property: "name" }, parsed.locate([i])));
        return;
      }
      const id = ids.childId(parent, collection, name);
      const { hash } = this.#cache.get(entry);
      // Inside a workspace a link may lead to the service around it: `"scope": "service"`.
      const properties = isObject(item) && item["scope"] !== undefined ? { scope: item["scope"] } : {};
      this.add({ kind, id, file: entry.file, hash, properties, locate: () => parsed.locate(at), trusted: true });
    });
  }

  #specification({ id, specification: entry }: Artifact): void {
    const api = this.drafts.get(ids.idKey(id))!;
    const merged = this.#merged(api).properties as ApiProperties;
    const type = String(merged.type ?? merged.apiType ?? "http").toLowerCase();
    if (type === "websocket") this.#handshake(api);
    const inline = entry === undefined && typeof merged.value === "string" && /^(openapi|swagger)/i.test(String(merged.format));
    if (!entry && !inline) return;
    const extension = entry?.name.slice(entry.name.lastIndexOf(".") + 1).toLowerCase() ?? "";
    if (extension === "graphql" || extension === "gql") {
      this.#graphqlSchema(api, entry!);
    } else if (["wsdl", "wadl", "xml"].includes(extension)) {
      this.problems.push(problem("HG5308", { file: entry!.name }, { file: entry!.file }));
    } else if (!["websocket", "mcp", "a2a"].includes(type)) {
      const parsed = entry ? this.#parse(entry, false) : inlineSpecification(api, merged);
      if (!entry) this.problems.push(...parsed!.problems);
      if (parsed?.value !== undefined) this.#openApi(api, merged, parsed, entry ? this.#cache.get(entry).hash : api.hash);
    }
  }

  #openApi(api: Draft, properties: ApiProperties, parsed: ParsedFile, hash: string): void {
    const schemaName = createHash("sha256").update(ids.idKey(api.id)).digest("hex").slice(0, 24);
    const mode = String(properties.translateRequiredQueryParameters).toLowerCase() === "query" ? "query" : "template";
    const imported = importCached(parsed, schemaName, mode);
    this.problems.push(...imported.problems);
    for (const operation of imported.operations) {
      this.add({
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
      if (!this.drafts.has(ids.idKey(id))) {
        this.add({ kind, id, file: parsed.source.file, hash, properties: imported.schema, locate, trusted: true });
      }
    }
    // What the API says itself always wins over its specification.
    const given = api.properties as ApiProperties;
    const extra: ApiProperties = {};
    if (!given.serviceUrl && imported.serviceUrl) extra.serviceUrl = imported.serviceUrl;
    if (!given.displayName && imported.title) extra.displayName = imported.title.slice(0, 300);
    if (given.description === undefined && imported.description) extra.description = imported.description;
    if (Object.keys(extra).length === 0) return;
    api.properties = { ...api.properties, ...extra };
    api.hash = api.hash && combine(api.hash, hash);
  }

  #graphqlSchema(api: Draft, entry: FileEntry): void {
    const { text, problems, hash } = this.#cache.get(entry);
    this.problems.push(...problems);
    const properties = {
      contentType: "application/vnd.ms-azure-apim.graphql.schema",
      document: { value: text ?? "" },
    };
    const kind = kindOfType("apis/schemas")!;
    const locate: Locate = () => ({ file: entry.file });
    this.add({ kind, id: ids.childId(api.id, "schemas", "graphql"), file: entry.file, hash, properties, locate, trusted: true });
  }

  /** The one operation every WebSocket API has; policies hang on it. */
  #handshake(api: Draft): void {
    const id = ids.childId(api.id, "operations", "onHandshake");
    const properties = { displayName: "onHandshake", method: "GET", urlTemplate: "/*" };
    this.add({ kind: kindOfType("apis/operations")!, id, file: api.file, hash: api.hash, properties, locate: api.locate, trusted: true });
  }

  /**
   * A folder below `operations`: the whole operation, corrections to an imported one, or just the
   * place where its policy lies. Then the operation must exist.
   */
  #operationFile(draft: Draft): void {
    const api = ids.parentId(draft.id)!;
    const name = ids.nameOf(draft.id);
    const known = this.drafts.get(ids.idKey(draft.id)) ?? this.#operationByAlias(api, name);
    if (known) {
      const { locate } = draft;
      const fallback = known.locate;
      const given = draft.properties;
      known.locate = (path = [], options) =>
        path.length > 0 && Object.hasOwn(given, path[0]!) ? locate(path, options) : fallback(path, options);
      known.properties = { ...known.properties, ...given };
      known.hash = combine(known.hash, draft.hash);
      known.trusted &&= Object.keys(given).length === 0;
      this.#adoptChildren(draft.id, known.id);
    } else if (draft.properties["method"] === undefined && draft.properties["urlTemplate"] === undefined) {
      this.#unknownOperation(draft, api, name);
    } else {
      this.#requireTemplate(draft, name);
      this.add(draft);
    }
  }

  #requireTemplate(draft: Draft, name: string): void {
    for (const property of ["method", "urlTemplate"]) {
      if (draft.properties[property] !== undefined) continue;
      this.problems.push(problem("HG5204", { noun: "Operation", name, property }, draft.locate([])));
    }
  }

  #operationByAlias(api: ResourceId, name: string): Draft | undefined {
    const alias = ids.operationAlias(name);
    return this.#operationsOf(api).find((other) => ids.operationAlias(ids.nameOf(other.id)) === alias);
  }

  #unknownOperation(draft: Draft, api: ResourceId, name: string): void {
    // An API whose own file is broken has no operations we could judge by.
    if (this.problems.some((found) => found.severity === "error" && found.file?.startsWith(folderOf(draft.file, 2)))) return;
    const hint = didYouMean(suggest(name, this.#operationsOf(api).map((other) => ids.nameOf(other.id))));
    const parameters = { name: ids.nameOf(api), reference: name };
    this.problems.push(problem("HG4506", parameters, { file: draft.file }, hint));
  }

  /** The policy of `operations/getorder` belongs to the operation imported as `GetOrder`. */
  #adoptChildren(from: ResourceId, to: ResourceId): void {
    if (from === to) return;
    for (const draft of [...(this.#children.get(ids.idKey(from)) ?? [])]) {
      this.#remove(draft);
      this.add({ ...draft, id: to + draft.id.slice(from.length) });
    }
  }

  /** A revision that brings no operations of its own has those of the API it was made from. */
  #inheritOperations(): void {
    for (const api of [...this.drafts.values()]) {
      if (api.kind.type !== "apis" || ids.revisionOf(api.id) === undefined) continue;
      if (this.#operationsOf(api.id).length > 0) continue;
      const reference = api.properties["sourceApiId"];
      const source = typeof reference === "string" ? ids.resolveReference(reference, "apis") : undefined;
      const named = source === undefined ? [] : this.#operationsOf(source);
      for (const operation of named.length > 0 ? named : this.#operationsOf(ids.withoutRevision(api.id))) {
        this.add({ ...operation, id: ids.childId(api.id, "operations", ids.nameOf(operation.id)) });
      }
    }
  }

  #merged(draft: Draft): { properties: OpenProperties; override?: Override } {
    const key = ids.idKey(draft.id);
    const override = this.#overrides.byKey.get(key) ?? this.#overrideByAlias(draft);
    if (!override) return { properties: draft.properties };
    return { properties: mergeProperties(draft.properties, override.properties), override };
  }

  #overrideByAlias(draft: Draft): Override | undefined {
    if (this.#overrides.byKey.size === 0 || draft.kind.type !== "apis/operations") return undefined;
    const alias = ids.operationAlias(ids.nameOf(draft.id));
    const prefix = ids.idKey(ids.parentId(draft.id)!) + "/operations/";
    for (const [key, override] of this.#overrides.byKey) {
      if (key.startsWith(prefix) && ids.operationAlias(key.slice(prefix.length)) === alias) return override;
    }
    return undefined;
  }

  /** Overrides in, checked and normalised properties out. */
  #finish(draft: Draft): void {
    const { properties, override } = this.#merged(draft);
    if (override) {
      this.#used.add(ids.idKey(override.id));
      const below = draft.locate;
      draft.locate = (path = [], options) => locateMerged(override, path, options?.key === true) ?? below(path, options);
      draft.hash = combine(draft.hash, JSON.stringify(override.properties));
    } else if (draft.trusted) {
      return;
    }
    const checked = checkProperties(draft.kind, ids.nameOf(draft.id), properties, draft.locate);
    draft.properties = checked.properties;
    this.problems.push(...checked.problems);
  }

  /** Of an API that is not there its policies are not there either: said once, for the outermost. */
  #unusedOverrides(): void {
    const said = new Set<string>();
    for (const [key, override] of this.#overrides.byKey) {
      if (this.#used.has(key)) continue;
      let { id, at } = override;
      for (let up = ids.parentId(id)!; up !== ids.SERVICE_ID && !this.drafts.has(ids.idKey(up)); up = ids.parentId(up)!) {
        id = up;
        at = at.slice(0, -2);
      }
      if (said.has(ids.idKey(id))) continue;
      said.add(ids.idKey(id));
      const siblings = [...(this.#children.get(ids.idKey(ids.parentId(id)!)) ?? [])];
      const type = ids.typeOf(id).toLowerCase();
      const others = siblings.filter((draft) => ids.typeOf(draft.id).toLowerCase() === type).map((draft) => ids.nameOf(draft.id));
      const parameters = { noun: kindOf(id)?.noun ?? "resource", name: ids.nameOf(id) };
      const location = override.source.locate([...at.slice(0, -1), "name"]);
      this.problems.push(problem("HG5401", parameters, location, didYouMean(suggest(parameters.name, others))));
    }
  }

  #parse(entry: FileEntry, numbersAsWritten: boolean): ParsedFile | undefined {
    const file = this.#cache.get(entry);
    this.problems.push(...file.problems);
    if (file.text === undefined) return undefined;
    const parsed = file.parsed({ numbersAsWritten });
    this.problems.push(...parsed.problems);
    return parsed;
  }
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
  return { ...parsed, problems, locate: () => location };
}

function folderOf(file: string, up: number): string {
  return file.split("/").slice(0, -up).join("/") + "/";
}

/** The hash of two things together. */
export function combine(a: string, b: string): string {
  return createHash("sha256").update(a).update("\n").update(b).digest("hex").slice(0, 32);
}

