import { defineKind, names, type ReferenceField } from "./kind.ts";
import * as is from "./shape.ts";

const API_TYPES = is.oneOf("http", "soap", "websocket", "graphql", "grpc", "odata", "mcp", "a2a");

/** A path is sent as written, so anything a URL cannot carry is a mistake. */
const path = is.text(400, {
  rule: (value) => {
    const bad = /[\s?#\\]|\*(?!$)/.exec(value);
    if (!bad) return undefined;
    const what = /\s/.test(bad[0]) ? "must not contain spaces" : `must not contain \`${bad[0]}\``;
    return {
      rule: what,
      hint: /\s/.test(bad[0]) ? `write \`${value.trim().replace(/\s+/g, "-")}\`` : undefined,
    };
  },
});

const examples = is.map(
  is.object({ summary: is.text(), description: is.text(), value: is.any, externalValue: is.text() }),
);

const parameter = is.object(
  {
    name: is.text(),
    type: is.text(),
    description: is.text(),
    defaultValue: is.any,
    required: is.boolean,
    values: is.list(is.text()),
    schemaId: is.text(),
    typeName: is.text(),
    examples,
  },
  ["name"],
);

const representation = is.object(
  {
    contentType: is.text(),
    schemaId: is.text(),
    typeName: is.text(),
    formParameters: is.list(parameter),
    examples,
  },
  ["contentType"],
);

const versionSetProperties = {
  displayName: is.text(100, { min: 1 }),
  versioningScheme: is.oneOf("Segment", "Header", "Query"),
  versionHeaderName: is.text(100),
  versionQueryName: is.text(100),
  description: is.text(),
};

const operationReference: ReferenceField = { at: "operationId", to: "operations", noun: "operation" };

export const api = defineKind("apis", {
  noun: "API",
  properties: {
    path,
    displayName: is.text(300, { min: 1 }),
    description: is.text(),
    termsOfServiceUrl: is.text(),
    contact: is.object({ name: is.text(), url: is.text(), email: is.text() }),
    license: is.object({ name: is.text(), url: is.text() }),
    type: API_TYPES,
    apiType: API_TYPES,
    protocols: is.list(is.oneOf("http", "https", "ws", "wss")),
    serviceUrl: is.text(2000),
    subscriptionRequired: is.boolean,
    subscriptionKeyParameterNames: is.object({ header: is.text(), query: is.text(), bearer: is.text() }),
    apiRevision: is.text(100, { min: 1 }),
    apiRevisionDescription: is.text(256),
    isCurrent: is.boolean,
    isOnline: is.boolean,
    apiVersion: is.text(100),
    apiVersionDescription: is.text(),
    apiVersionSetId: is.text(),
    apiVersionSet: is.object({ id: is.text(), name: is.text(), ...versionSetProperties }),
    sourceApiId: is.text(),
    authenticationSettings: is.object({}),
    format: is.text(),
    value: is.text(),
    wsdlSelector: is.object({ wsdlServiceName: is.text(), wsdlEndpointName: is.text() }),
    translateRequiredQueryParameters: is.oneOf("template", "query"),
    provisioningState: is.text(),
    backendId: is.text(),
    mcpProperties: is.object({
      transportType: is.oneOf("sse", "streamable"),
      endpoints: is.either(
        is.map(is.object({ uriTemplate: is.text() })),
        is.list(is.object({ name: is.text(), uriTemplate: is.text() })),
      ),
    }),
    mcpTools: is.list(is.object({ name: is.text(), operationId: is.text(), description: is.text() })),
    isAgent: is.boolean,
    aiFormat: is.text(),
    agent: is.object({}),
    a2aProperties: is.object({ agentCardPath: is.text(), agentCardBackendUrl: is.text() }),
    jsonRpcProperties: is.object({ backendUrl: is.text(), path: is.text() }),
  },
  required: ["path"],
  references: [
    { at: "apiVersionSetId", to: "apiVersionSets", noun: "version set" },
    { at: "apiVersionSet.id", to: "apiVersionSets", noun: "version set" },
    { at: "backendId", to: "backends", noun: "backend" },
    { at: "sourceApiId", to: "apis", noun: "API", unknown: "warn" },
    { at: "mcpTools[].operationId", to: "operations", noun: "operation" },
  ],
  artifact: { folders: ["apis"], files: ["apiInformation"] },
});

export const operation = defineKind("apis/operations", {
  noun: "operation",
  properties: {
    displayName: is.text(300),
    method: is.text(100, {
      rule: (value) =>
        /^[!#$%&'*+\-.^_`|~\w]+$/.test(value)
          ? undefined
          : { rule: `must be an HTTP method, but is \`${value}\`` },
    }),
    urlTemplate: is.text(1000),
    templateParameters: is.list(parameter),
    description: is.text(),
    request: is.object({
      description: is.text(),
      headers: is.list(parameter),
      queryParameters: is.list(parameter),
      representations: is.list(representation),
    }),
    responses: is.list(
      is.object(
        {
          statusCode: is.integer(100, 999),
          description: is.text(),
          headers: is.list(parameter),
          representations: is.list(representation),
        },
        ["statusCode"],
      ),
    ),
    policies: is.text(),
  },
  artifact: { folders: ["operations"], files: ["operationInformation"], optional: true },
});

export const versionSet = defineKind("apiVersionSets", {
  noun: "version set",
  properties: versionSetProperties,
  required: ["versioningScheme"],
  artifact: {
    folders: ["versionSets", "apiVersionSets"],
    files: ["versionSetInformation", "apiVersionSetInformation"],
  },
});

export const release = defineKind("apis/releases", {
  noun: "release",
  properties: { apiId: is.text(), notes: is.text(), createdDateTime: is.text(), updatedDateTime: is.text() },
  references: [{ at: "apiId", to: "apis", noun: "API" }],
  artifact: { folders: ["releases"], files: ["releaseInformation", "apiReleaseInformation"] },
});

export const apiSchema = defineKind("apis/schemas", {
  noun: "schema",
  properties: { contentType: is.text(), document: is.object({ value: is.text() }) },
  required: ["contentType"],
  artifact: { folders: ["schemas"], files: ["schemaInformation", "apiSchemaInformation"] },
});

export const globalSchema = defineKind("schemas", {
  noun: "schema",
  properties: {
    schemaType: is.oneOf("json", "xml"),
    description: is.text(),
    value: is.any,
    document: is.any,
  },
  required: ["schemaType"],
  names: names.usual,
  artifact: { folders: ["schemas"], files: ["schemaInformation", "globalSchemaInformation"] },
});

export const resolver = defineKind("apis/resolvers", {
  noun: "resolver",
  properties: { displayName: is.text(300), path: is.text(), description: is.text() },
  artifact: { folders: ["resolvers"], files: ["resolverInformation"] },
});

export const tool = defineKind("apis/tools", {
  noun: "tool",
  properties: {
    displayName: is.text(300, {
      rule: (value) =>
        /^[\w-]+$/.test(value) ? undefined : { rule: "may contain letters, digits, `_` and `-` only" },
    }),
    description: is.text(1000),
    operationId: is.text(),
  },
  names: names.wordLike,
  references: [operationReference],
  artifact: { folders: ["tools"], files: ["toolInformation"] },
});

export const tagDescription = defineKind("apis/tagDescriptions", {
  noun: "tag description",
  properties: { description: is.text(), externalDocsUrl: is.text(), externalDocsDescription: is.text() },
  artifact: { folders: ["tagDescriptions"], files: ["tagDescriptionInformation"] },
});

export const apiWiki = defineKind("apis/wikis", {
  noun: "wiki",
  properties: { documents: is.list(is.object({ documentationId: is.text() })) },
  artifact: { folders: ["wikis"], files: ["wikiInformation"] },
});
