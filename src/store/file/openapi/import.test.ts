import { describe, expect, test } from "vitest";
import type { OperationProperties } from "../../../contract/apis.ts";
import { told } from "../folder.fixture.ts";
import { parseJson } from "../json.ts";
import { parseYaml } from "../yaml.ts";
import { importOpenApi } from "./import.ts";

const OPTIONS = { requiredQueryParameters: "template", schemaName: "schema" } as const;

function importDocument(
  document: object,
  options: Partial<{ requiredQueryParameters: "template" | "query" }> = {},
) {
  return importOpenApi(parseJson("spec.json", JSON.stringify(document)), { ...OPTIONS, ...options });
}

/** A document of one operation. */
function one(operation: object, path = "/x", method = "get", rest: object = {}) {
  return { openapi: "3.0.3", info: {}, paths: { [path]: { [method]: operation } }, ...rest };
}

function only(document: object, options = {}): OperationProperties {
  return importDocument(document, options).operations[0]!.properties;
}

describe("operation names", () => {
  test.each<[string, object, string, string, string]>([
    ["an operationId that is legal stays", { operationId: "GetOrder_v2.1" }, "/x", "get", "GetOrder_v2.1"],
    ["one that is not is made legal", { operationId: "Orders: get/one!" }, "/x", "get", "orders-get-one"],
    ["without: method and path", {}, "/orders/{id}/items", "post", "post-orders-id-items"],
    ["the root", {}, "/", "get", "get"],
    ["an empty one counts as none", { operationId: " " }, "/a", "get", "get-a"],
  ])("%s", (_, operation, path, method, name) => {
    expect(importDocument(one(operation, path, method)).operations[0]!.name).toBe(name);
  });

  test("collisions are numbered and told", () => {
    const imported = importDocument({
      openapi: "3.1.0",
      paths: {
        "/a": { get: { operationId: "same" }, post: { operationId: "Same" } },
        "/b": { get: { operationId: "same" } },
      },
    });
    expect(imported.operations.map(({ name }) => name)).toEqual(["same", "Same-1", "same-2"]);
    expect(told(imported.problems).map((line) => line.replace(/:\d+:\d+/, ""))).toEqual([
      "HG5306 warning spec.json several operations need `Same` as their name; `Same-1` is used for this one",
      "HG5306 warning spec.json several operations need `same` as their name; `same-2` is used for this one",
    ]);
  });
});

describe("required query parameters", () => {
  const document = one(
    {
      parameters: [
        { name: "api-version", in: "query", required: true, schema: { type: "string" } },
        { name: "b", in: "query", required: true, schema: { type: "integer", default: 3 } },
        { name: "c", in: "query", schema: { type: ["boolean", "null"] } },
      ],
    },
    "/deployments/{deployment-id}/chat",
  );

  test("become part of the template", () => {
    const { urlTemplate, templateParameters, request } = only(document);
    expect(urlTemplate).toBe("/deployments/{deployment-id}/chat?api-version={api-version}&b={b}");
    expect(templateParameters).toEqual([
      { name: "deployment-id", type: "string", required: true },
      { name: "api-version", type: "string", required: true },
      { name: "b", type: "integer", required: true, defaultValue: "3" },
    ]);
    expect(request!.queryParameters).toEqual([{ name: "c", type: "boolean" }]);
  });

  test("or stay documentation", () => {
    const { urlTemplate, request } = only(document, { requiredQueryParameters: "query" });
    expect(urlTemplate).toBe("/deployments/{deployment-id}/chat");
    expect(request!.queryParameters!.map(({ name }) => name)).toEqual(["api-version", "b", "c"]);
  });

  test("one named like a path parameter stays out", () => {
    const imported = importDocument(
      one({ parameters: [{ name: "id", in: "query", required: true }] }, "/x/{id}"),
    );
    expect(imported.operations[0]!.properties.urlTemplate).toBe("/x/{id}");
    expect(imported.problems.map(({ code }) => code)).toEqual(["HG5310"]);
  });

  test("join a query the path already has", () => {
    const document = {
      openapi: "3.0.0",
      "x-ms-paths": { "/x?op=go": { get: { parameters: [{ name: "v", in: "query", required: true }] } } },
    };
    expect(only(document).urlTemplate).toBe("/x?op=go&v={v}");
  });
});

test("parameters of the path are merged with the operation's, through references", () => {
  const { request, templateParameters } = only({
    openapi: "3.0.0",
    paths: {
      "/x/{id}": {
        parameters: [
          { $ref: "#/components/parameters/Trace" },
          { name: "id", in: "path", schema: { type: "string" } },
        ],
        get: {
          parameters: [
            { name: "ID", in: "header", description: "of the operation", schema: { enum: ["a", 1] } },
            { name: "id", in: "path", required: true, schema: { $ref: "#/components/schemas/Id" } },
          ],
        },
      },
    },
    components: {
      parameters: { Trace: { name: "x-trace", in: "header", example: "t" } },
      schemas: { Id: { type: "integer", description: "its number" } },
    },
  });
  expect(templateParameters).toEqual([
    {
      name: "id",
      type: "integer",
      description: "its number",
      required: true,
      schemaId: "schema",
      typeName: "Id",
    },
  ]);
  expect(request!.headers).toEqual([
    { name: "x-trace", type: "string", examples: { default: { value: "t" } } },
    { name: "ID", type: "string", description: "of the operation", values: ["a", "1"] },
  ]);
});

test("bodies and responses keep types, examples and headers", () => {
  const { request, responses } = only(
    one(
      {
        summary: "Make one",
        requestBody: {
          content: {
            "application/json": { schema: { $ref: "#/components/schemas/Order" }, example: { a: 1 } },
            "application/x-www-form-urlencoded": {
              schema: { type: "object", required: ["a"], properties: { a: { type: "integer" }, b: {} } },
            },
          },
        },
        responses: {
          201: {
            description: "made",
            headers: { Location: { schema: { type: "string" } } },
            content: {
              "application/json": {
                schema: { type: "object" },
                examples: {
                  small: { summary: "s", value: [] },
                  shared: { $ref: "#/components/examples/Shared" },
                },
              },
            },
          },
          "4XX": { description: "yours" },
          default: { description: "others" },
        },
      },
      "/x",
      "post",
      { components: { schemas: { Order: { type: "object" } }, examples: { Shared: { value: "v" } } } },
    ),
  );
  expect(request!.representations).toEqual([
    {
      contentType: "application/json",
      schemaId: "schema",
      typeName: "Order",
      examples: { default: { value: { a: 1 } } },
    },
    {
      contentType: "application/x-www-form-urlencoded",
      schema: expect.anything(),
      formParameters: [
        { name: "a", type: "integer", required: true },
        { name: "b", type: "string", required: false },
      ],
    },
  ]);
  expect(responses).toEqual([
    {
      statusCode: 201,
      description: "made",
      headers: [{ name: "Location", type: "string" }],
      representations: [
        {
          contentType: "application/json",
          schema: { type: "object" },
          examples: { small: { summary: "s", value: [] }, shared: { value: "v" } },
        },
      ],
    },
    { statusCode: 400, range: "4XX", description: "yours" },
    { statusCode: 500, range: "default", description: "others" },
  ]);
});

test.each<[string, unknown, object]>([
  ["a name", { $ref: "#/components/schemas/Order" }, { schemaId: "schema", typeName: "Order" }],
  ["in place", { type: "object" }, { schema: { type: "object" } }],
  [
    "in place, with references",
    { type: "array", items: { $ref: "#/components/schemas/Order" } },
    { schemaId: "schema", schema: { type: "array", items: { $ref: "#/components/schemas/Order" } } },
  ],
])("the schema of a body: %s", (_name, schema, expected) => {
  const responses = { 200: { content: { "application/json": { schema } } } };
  const components = { schemas: { Order: { type: "object" } } };
  const [response] = only(one({ responses }, "/x", "get", { components })).responses!;
  expect(response!.representations).toEqual([{ contentType: "application/json", ...expected }]);
});

test("exact codes stand before ranges, and those before the default", () => {
  const responses = { default: {}, "4xx": {}, 400: {}, 200: {} };
  expect(only(one({ responses })).responses).toEqual([
    { statusCode: 200 },
    { statusCode: 400 },
    { statusCode: 400, range: "4XX" },
    { statusCode: 500, range: "default" },
  ]);
});

test("a list that is written with bars is described by its type alone", () => {
  const schema = { type: "array", items: { type: "integer" } };
  const parameters = [{ name: "q", in: "query", style: "pipeDelimited", schema }];
  expect(only(one({ parameters })).request!.queryParameters).toEqual([{ name: "q", type: "array" }]);
});

test.each<[unknown, object]>([
  [{ type: "integer", default: 1, description: "d" }, {}],
  [{ type: "integer", maximum: 10 }, { schema: { type: "integer", maximum: 10 } }],
])(
  "a parameter's schema travels with it when it says more than the parameter does: %j",
  (schema, expected) => {
    const [parameter] = only(one({ parameters: [{ name: "q", in: "query", schema }] })).request!
      .queryParameters!;
    const { schemaId, schema: kept } = parameter as { schemaId?: string; schema?: unknown };
    expect({ schemaId, schema: kept }).toEqual(expected);
  },
);

test("GET has no body; `default` alone is 200", () => {
  const { request, responses } = only(
    one({ requestBody: { content: { "a/b": {} } }, responses: { default: { description: "d" } } }),
  );
  expect(request).toBeUndefined();
  expect(responses).toEqual([{ statusCode: 200, range: "default", description: "d" }]);
});

test.each<[string, unknown, string | undefined]>([
  [
    "the first HTTPS server",
    [{ url: "http://a" }, { url: "https://b/v1" }, { url: "https://c" }],
    "https://b/v1",
  ],
  ["HTTP when there is no other", [{ url: "/relative" }, { url: "http://a" }], "http://a"],
  ["never one with variables", [{ url: "https://{endpoint}/openai" }], undefined],
  ["none", undefined, undefined],
  ["nonsense", "https://x", undefined],
])("service URL: %s", (_, servers, expected) => {
  expect(importDocument({ openapi: "3.0.0", paths: {}, servers }).serviceUrl).toBe(expected);
});

test("Swagger 2.0 is converted; the parsed file is left as it was", () => {
  const swagger = {
    swagger: "2.0",
    info: { title: "Pets" },
    host: "pets.example",
    basePath: "/v1",
    schemes: ["https"],
    consumes: ["application/json"],
    produces: ["application/json"],
    paths: {
      "/pets": {
        post: {
          operationId: "addPet",
          parameters: [
            { in: "body", name: "body", schema: { $ref: "#/definitions/Pet" } },
            { in: "query", name: "dry", type: "boolean", required: true },
          ],
          responses: {
            200: {
              description: "ok",
              schema: { $ref: "#/definitions/Pet" },
              examples: { "application/json": { id: 1 } },
            },
          },
        },
      },
    },
    definitions: { Pet: { type: "object" } },
  };
  const file = parseJson("spec.json", JSON.stringify(swagger));
  const imported = importOpenApi(file, OPTIONS);
  expect(imported).toMatchObject({ title: "Pets", serviceUrl: "https://pets.example/v1", problems: [] });
  expect(imported.operations[0]).toMatchObject({
    name: "addPet",
    properties: {
      method: "POST",
      urlTemplate: "/pets?dry={dry}",
      request: { representations: [{ contentType: "application/json", typeName: "Pet" }] },
      responses: [
        {
          statusCode: 200,
          representations: [{ typeName: "Pet", examples: { default: { value: { id: 1 } } } }],
        },
      ],
    },
  });
  expect(imported.schema!.document).toEqual({ components: { schemas: { Pet: { type: "object" } } } });
  expect(file.value).toEqual(swagger);
});

describe("documents that cannot be imported, or only in part", () => {
  test.each<[string, string, string[]]>([
    [
      "not an object",
      "- a",
      ["HG5301 error spec.yaml:1:1 this is not an OpenAPI or Swagger document: it holds a list"],
    ],
    [
      "something else",
      "name: x",
      [
        'HG5301 error spec.yaml:1:1 this is not an OpenAPI or Swagger document: it has neither `openapi` nor `swagger` (the file starts with `openapi: "3.0.3"`, for example)',
      ],
    ],
    [
      "an unknown version",
      "openapi: 4.0.0\npaths: {}",
      [
        'HG5301 error spec.yaml:1:10 this is not an OpenAPI or Swagger document: version `4.0.0` (the file starts with `openapi: "3.0.3"`, for example)',
      ],
    ],
    ["no paths", "openapi: 3.1.0", []],
    [
      "a path without a slash",
      "openapi: 3.0.0\npaths:\n  orders: {}\n  x-note: hi",
      ["HG5307 warning spec.yaml:3:3 `orders` is not a path; skipped"],
    ],
    [
      "references that lead nowhere, outside, or in a circle",
      `openapi: 3.0.0
paths:
  /a: { $ref: "#/paths/~1nope" }
  /b: { $ref: "../../../../etc/passwd" }
  /c: { $ref: "#/paths/~1d" }
  /d: { $ref: "#/paths/~1c" }
  /e: { get: { parameters: [{ $ref: "#/components/parameters/X" }, { $ref: "#/components/parameters/X" }] } }
`,
      [
        "HG5303 error spec.yaml:3:15 `#/paths/~1nope` leads nowhere",
        "HG5304 error spec.yaml:4:15 `../../../../etc/passwd` points outside this document",
        "HG5305 error spec.yaml:5:15 `#/paths/~1d` leads back to itself",
        "HG5305 error spec.yaml:6:15 `#/paths/~1c` leads back to itself",
        "HG5303 error spec.yaml:7:37 `#/components/parameters/X` leads nowhere",
      ],
    ],
    [
      "wrong types everywhere",
      "openapi: 3.0.0\nservers: {}\ninfo: 3\npaths: { /x: { get: { parameters: 3, responses: [], requestBody: [] }, post: 4 }, /y: null }\ncomponents: []",
      [],
    ],
  ])("%s", (_, text, expected) => {
    expect(told(importOpenApi(parseYaml("spec.yaml", text), OPTIONS).problems)).toEqual(expected);
  });

  test("schemas that contain themselves are kept as they are", () => {
    const node = { type: "object", properties: { next: { $ref: "#/components/schemas/Node" } } };
    const imported = importDocument(
      one(
        { responses: { 200: { content: { "a/b": { schema: { $ref: "#/components/schemas/Node" } } } } } },
        "/x",
        "get",
        { components: { schemas: { Node: node } } },
      ),
    );
    expect(imported.problems).toEqual([]);
    expect(imported.schema!.document!["components"]).toEqual({ schemas: { Node: node } });
  });

  test.each(["3.0.0", "2.0"])("deep documents of version %s do not overflow", (version) => {
    let schema: object = { type: "string" };
    for (let i = 0; i < 90; i++) schema = { properties: { next: schema } };
    const key = version === "2.0" ? { swagger: version } : { openapi: version };
    const document = {
      ...key,
      paths: { "/x": { get: {} } },
      definitions: { Deep: schema },
      components: { schemas: { Deep: schema } },
    };
    expect(importDocument(document).operations).toHaveLength(1);
  });

  test("a chain of 500 references is taken for a circle, not followed into the ground", () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`P${i}`, { $ref: `#/components/parameters/P${i + 1}` }]),
    );
    const document = one({ parameters: [{ $ref: "#/components/parameters/P0" }] }, "/x", "get", {
      components: { parameters },
    });
    expect(importDocument(document).problems.map(({ code }) => code)).toEqual(["HG5305"]);
  });
});
