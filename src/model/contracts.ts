/**
 * `apis/operations` and `schemas` → what validation policies hold messages against (`resources.md` §1.6, 1.20). Most
 * operations are never validated, so each contract is made when it is first asked for.
 */
import { isJsonObject } from "../base/json-object.ts";
import type {
  ApiSchemaProperties,
  GlobalSchemaProperties,
  OperationProperties,
  OperationResponse,
  ParameterContract,
  Representation,
} from "../contract/apis.ts";
import type { Resource } from "../contract/resource.ts";
import type {
  BodyRule,
  OperationContract,
  ParameterRule,
  SchemaDocument,
  SchemaUse,
  StoredSchema,
} from "../gateway/snapshot.ts";

/** Where an API's operations find schemas. All that is held of the resources: operations outlive their set. */
export interface SchemaPlaces {
  /** The API's own, by lower-case name. */
  readonly own: ReadonlyMap<string, ApiSchemaProperties>;
  readonly stored: ReadonlyMap<string, StoredSchema>;
}

const NONE: SchemaPlaces["own"] = new Map();

export function schemaPlaces(
  own: readonly Resource<ApiSchemaProperties>[],
  stored: ReadonlyMap<string, StoredSchema>,
): SchemaPlaces {
  const found = own.map(({ name, properties }) => [name.toLowerCase(), properties] as const);
  return { own: found.length === 0 ? NONE : new Map(found), stored };
}

export function contractOf(schemas: SchemaPlaces, operation: OperationProperties): OperationContract {
  const rule = (parameter: ParameterContract): ParameterRule => parameterRule(schemas, parameter);
  const body = (representation: Representation): BodyRule => bodyRule(schemas, representation);
  const { request, responses = [], templateParameters = [], urlTemplate = "" } = operation;
  const templateQuery = queryOf(urlTemplate);
  const inQuery = new Set(templateQuery.map(({ parameter }) => parameter.toLowerCase()));
  const ofTemplate = templateQuery.map(({ name, parameter }): ParameterRule => {
    const described = templateParameters.find(
      (one) => one.name?.toLowerCase() === parameter.toLowerCase() && parameter !== "",
    );
    return { ...rule(described ?? {}), name, required: true };
  });
  const named = new Set(ofTemplate.map(({ name }) => name));
  return {
    headers: (request?.headers ?? []).map(rule),
    query: [
      ...ofTemplate,
      ...(request?.queryParameters ?? []).map(rule).filter(({ name }) => !named.has(name)),
    ],
    path: templateParameters
      .filter(({ name = "" }) => !inQuery.has(name.toLowerCase()))
      .map((one) => ({ ...rule(one), required: true })),
    bodies: (request?.representations ?? []).map(body),
    needsBody: request?.required === true,
    responses: responses.map((response) => ({
      status: statusOf(response),
      headers: (response.headers ?? []).map(rule),
      bodies: (response.representations ?? []).map(body),
    })),
  };
}

/** `200`, `4XX` or `default`. */
function statusOf({ range, statusCode = 200 }: OperationResponse): string {
  const status = String(range ?? statusCode).toUpperCase();
  return status === "DEFAULT" ? "default" : status;
}

function parameterRule(schemas: SchemaPlaces, parameter: ParameterContract): ParameterRule {
  return {
    name: parameter.name ?? "",
    required: parameter.required ?? false,
    type: (parameter.type ?? "").toLowerCase(),
    values: parameter.values ?? [],
    schema: schemaUse(schemas, parameter),
  };
}

function bodyRule(schemas: SchemaPlaces, representation: Representation): BodyRule {
  const [type = ""] = (representation.contentType ?? "application/json").split(";");
  return { contentType: type.trim().toLowerCase(), schema: schemaUse(schemas, representation) };
}

/** The query part of a template: `/search?q={term}&v=1`; `parameter` is empty for a fixed value. */
function queryOf(template: string): { name: string; parameter: string }[] {
  const query = template.replace(/\{[^}]*\}/g, (braces) => braces.replaceAll("?", "\0")).split("?")[1] ?? "";
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", value = ""] = pair.split("=", 2);
      return { name, parameter: /^\{(.+)\}$/.exec(value)?.[1] ?? "" };
    });
}

/** Where the schema of a parameter or representation stands; null when it has none. */
function schemaUse(
  schemas: SchemaPlaces,
  described: { readonly schemaId?: string; readonly typeName?: string; readonly [more: string]: unknown },
): SchemaUse | null {
  const inline = inlineSchema(schemas, described);
  if (inline !== null) return { document: inline, pointer: "#", name: "" };
  const { schemaId, typeName = "" } = described;
  if (schemaId === undefined || schemaId === "") return null;
  const document = documentOf(schemas, schemaId);
  if (document === null) return { document: null, pointer: "#", name: typeName };
  if (typeName === "") return { document, pointer: "#", name: "" };
  return { document, pointer: pointerTo(document, typeName), name: isPath(typeName) ? "" : typeName };
}

/** A schema that is written in place, together with the definitions that it refers to; null when there is none. */
export function inlineSchema(
  schemas: SchemaPlaces,
  { schema, schemaId }: { readonly schemaId?: string; readonly schema?: unknown },
): SchemaDocument | null {
  if (!isJsonObject(schema)) return null;
  const document = schemaId === undefined ? null : documentOf(schemas, schemaId);
  if (document === null) return schema;
  const { components, definitions } = document;
  return {
    ...(isJsonObject(components) ? { components } : {}),
    ...(isJsonObject(definitions) ? { definitions } : {}),
    ...schema,
  };
}

function documentOf({ own, stored }: SchemaPlaces, schemaId: string): SchemaDocument | null {
  const name = schemaId.slice(schemaId.lastIndexOf("/") + 1).toLowerCase();
  const { document } = own.get(name) ?? {};
  if (document === undefined) return stored.get(name)?.document ?? null;
  return typeof document.value === "string" && Object.keys(document).length === 1
    ? parsed(document.value)
    : document;
}

/** Importers name anonymous types by their path in the document. */
const isPath = (typeName: string): boolean => typeName.startsWith("/") || typeName.startsWith("#/");

function pointerTo(document: SchemaDocument, typeName: string): string {
  if (isPath(typeName)) return typeName.startsWith("#") ? typeName : `#${typeName}`;
  const { components } = document;
  const group =
    isJsonObject(components) && isJsonObject(components["schemas"])
      ? ["components", "schemas"]
      : isJsonObject(document["definitions"])
        ? ["definitions"]
        : isJsonObject(document["$defs"])
          ? ["$defs"]
          : ["components", "schemas"];
  return `#/${[...group, typeName].map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
}

/** The service's `schemas` by lower-case name. */
export function storedSchemas(
  resources: readonly Resource<GlobalSchemaProperties>[],
): ReadonlyMap<string, StoredSchema> {
  return new Map(resources.map((resource) => [resource.name.toLowerCase(), storedSchema(resource)]));
}

/** A text is parsed once for each resource, so that its schema stays the same object. */
const documents = new WeakMap<object, StoredSchema>();

function storedSchema({ properties }: Resource<GlobalSchemaProperties>): StoredSchema {
  let stored = documents.get(properties);
  if (stored === undefined) {
    const isXml = properties.schemaType?.toLowerCase() === "xml";
    const given = properties.document ?? properties.value;
    stored = {
      type: isXml ? "xml" : "json",
      document: isXml ? null : typeof given === "string" ? parsed(given) : isJsonObject(given) ? given : null,
      xml: isXml ? textOf(given) : null,
    };
    documents.set(properties, stored);
  }
  return stored;
}

/** `value` as it stands, or `document.value`. */
function textOf(given: unknown): string | null {
  if (typeof given === "string") return given;
  return isJsonObject(given) && typeof given["value"] === "string" ? given["value"] : null;
}

function parsed(text: string): SchemaDocument | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
