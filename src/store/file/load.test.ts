import { describe, expect, test } from "vitest";
import type { ApiProperties } from "../../contract/apis.ts";
import { type Files, idsOf, info, loadFiles, told, withFolder } from "./folder.fixture.ts";
import { FolderLoader, loadFolder } from "./load.ts";

const OPENAPI = `openapi: 3.0.1
info: { title: Orders, version: "1" }
servers: [{ url: "https://orders.example" }]
paths:
  /orders/{id}:
    get:
      operationId: GetOrder
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: { "200": { description: ok } }
  /orders:
    post: { operationId: create-order, responses: { "201": { description: made } } }
`;
const POLICY = "<policies><inbound><base /></inbound></policies>";

const LAYOUT_A: Files = {
  "policy.xml": POLICY,
  "named values/env/namedValueInformation.json": info({ displayName: "env-name", value: "prod" }),
  "policy fragments/frag/policyFragmentInformation.json": info({ description: "d" }),
  "policy fragments/frag/policy.xml": "<fragment />",
  "version sets/v/versionSetInformation.json": info({ displayName: "V", versioningScheme: "Segment" }),
  "backends/b/backendInformation.json": info({ url: "https://b.example", protocol: "http" }),
  "loggers/mon/loggerInformation.json": info({ loggerType: "azureMonitor" }),
  "diagnostics/azuremonitor/diagnosticInformation.json": info({ loggerId: "/loggers/mon" }),
  "groups/team/groupInformation.json": info({ displayName: "Team" }),
  "gateways/edge/gatewayInformation.json": info({ locationData: { name: "x" } }),
  "gateways/edge/apis/orders/gatewayApiInformation.json": {},
  "tags/t/tagInformation.json": info({ displayName: "T" }),
  "tags/t/apis/orders/tagApiInformation.json": {},
  "tags/t/products/starter/tagProductInformation.json": {},
  "products/starter/productInformation.json": info({ displayName: "Starter" }),
  "products/starter/policy.xml": POLICY,
  "products/starter/apis/orders/productApiInformation.json": {},
  "products/starter/groups/team/productGroupInformation.json": {
    name: "team",
    properties: { groupId: "/groups/team" },
  },
  "subscriptions/s/subscriptionInformation.json": info({ displayName: "S", scope: "/products/starter" }),
  "apis/orders/apiInformation.json": info({
    path: "orders",
    displayName: "Orders",
    apiVersion: "v1",
    apiVersionSetId: "/apiVersionSets/v",
  }),
  "apis/orders/specification.yaml": OPENAPI,
  "apis/orders/policy.xml": POLICY,
  "apis/orders/operations/getorder/policy.xml": POLICY,
  "apis/orders/diagnostics/azuremonitor/diagnosticInformation.json": info({ loggerId: "mon" }),
  "apis/orders/releases/r/apiReleaseInformation.json": info({ apiId: "/apis/orders;rev=1", notes: "n" }),
  "apis/orders/schemas/extra/apiSchemaInformation.json": info({
    contentType: "application/json",
    document: {},
  }),
};

const LAYOUT_B: Files = {
  "policy.xml": POLICY,
  "namedValues/env/namedValueInformation.json": info({ displayName: "env-name", value: "prod" }),
  "policyFragments/frag/policyFragmentInformation.json": info({ value: "<fragment />", format: "rawxml" }),
  "versionSets/v/versionSetInformation.json": info({ displayName: "V", versioningScheme: "Segment" }),
  "backends/b/backendInformation.json": info({ url: "https://b.example", protocol: "http" }),
  "loggers/mon/loggerInformation.json": info({ loggerType: "azureMonitor" }),
  "diagnostics/azuremonitor/diagnosticInformation.json": info({ loggerId: "/loggers/mon" }),
  "groups/team/groupInformation.json": info({ displayName: "Team" }),
  "gateways/edge/gatewayInformation.json": info({ locationData: { name: "x" } }),
  "gateways/edge/apis.json": [{ name: "orders" }],
  "tags/t/tagInformation.json": info({ displayName: "T" }),
  "products/starter/productInformation.json": info({ displayName: "Starter" }),
  "products/starter/policy.xml": POLICY,
  "products/starter/apis.json": [{ name: "orders" }],
  "products/starter/groups.json": [{ name: "team" }],
  "products/starter/tags.json": [{ name: "t" }],
  "subscriptions/s/subscriptionInformation.json": info({ displayName: "S", scope: "/products/starter" }),
  "apis/orders/apiInformation.json": info({
    path: "orders",
    displayName: "Orders",
    apiVersion: "v1",
    apiVersionSetId: "/apiVersionSets/v",
  }),
  "apis/orders/specification.json": JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Orders" },
    paths: {
      "/orders/{id}": { get: { operationId: "GetOrder", responses: { 200: { description: "ok" } } } },
      "/orders": { post: { operationId: "create-order", responses: {} } },
    },
  }),
  "apis/orders/policy.xml": POLICY,
  "apis/orders/operations/GetOrder/operationInformation.json": info({
    displayName: "Get one",
    method: "GET",
    urlTemplate: "/orders/{id}",
  }),
  "apis/orders/operations/GetOrder/policy.xml": POLICY,
  "apis/orders/diagnostics/azuremonitor/diagnosticInformation.json": info({ loggerId: "mon" }),
  "apis/orders/releases/r/releaseInformation.json": info({ apiId: "/apis/orders;rev=1", notes: "n" }),
  "apis/orders/schemas/extra/schemaInformation.json": info({ contentType: "application/json", document: {} }),
  "apis/orders/tags/t/tagInformation.json": {},
  "apis/orders/wiki.md": "# hello",
};

describe("both layouts", () => {
  const expected = [
    "/apiVersionSets/v",
    "/apis/orders",
    "/apis/orders/diagnostics/azuremonitor",
    "/apis/orders/operations/GetOrder",
    "/apis/orders/operations/GetOrder/policies/policy",
    "/apis/orders/operations/create-order",
    "/apis/orders/policies/policy",
    "/apis/orders/releases/r",
    "/apis/orders/schemas/extra",
    "/apis/orders/tags/t",
    "/backends/b",
    "/diagnostics/azuremonitor",
    "/gateways/edge",
    "/gateways/edge/apis/orders",
    "/groups/team",
    "/loggers/mon",
    "/namedValues/env",
    "/policies/policy",
    "/policyFragments/frag",
    "/products/starter",
    "/products/starter/apis/orders",
    "/products/starter/groups/team",
    "/products/starter/policies/policy",
    "/products/starter/tags/t",
    "/subscriptions/s",
    "/tags/t",
  ];

  test.each([
    ["A", LAYOUT_A],
    ["B", LAYOUT_B],
  ])("layout %s", async (_, files) => {
    const loaded = await loadFiles(files);
    expect(told(loaded.problems)).toEqual([]);
    expect(idsOf(loaded).sort()).toEqual(expected);
    const { resources } = loaded;
    expect(resources.apisOf("/products/starter")).toEqual(["/apis/orders"]);
    expect(resources.groupsOf("/products/starter")).toEqual(["/groups/team"]);
    expect(resources.apisOfGateway("/gateways/edge")).toEqual(["/apis/orders"]);
    expect(resources.operationsOf("/APIS/Orders").map(({ name }) => name)).toEqual([
      "GetOrder",
      "create-order",
    ]);
    expect(resources.policyOf("/apis/orders/operations/getorder")?.file).toMatch(
      /^apis\/orders\/operations\/getorder\/policy.xml$/i,
    );
    expect(resources.policyOf("/")).toMatchObject({
      scopeId: "/",
      text: POLICY,
      format: "rawxml",
      file: "policy.xml",
      embedded: false,
    });
    expect(resources.fragments()[0]).toMatchObject({ id: "/policyFragments/frag", text: "<fragment />" });
  });

  test("mixed, with the names of older generations and any case", async () => {
    const loaded = await loadFiles({
      "Version Sets/v/apiVersionSetInformation.json": info({ displayName: "V", versioningScheme: "segment" }),
      "namedValues/a/namedvalueinformation.json": info({ displayName: "a", value: "1" }),
      "named values/b/namedValueInformation.yaml": "properties:\n  displayName: b\n  value: two\n",
      "Products/p/ProductInformation.json": info({ displayName: "P" }),
      "Products/p/apis.json": ["x"],
      "APIs/x/apiInformation.json": info({ path: "/x", displayName: "X" }),
      "tags/t/tagInformation.json": info({ displayName: "T" }),
      "tags/t/products/p/productTagInformation.json": {},
      "apis/y/apiInformation.json": info({ path: "/y", displayName: "Y" }),
    });
    expect(told(loaded.problems)).toEqual([]);
    expect(idsOf(loaded).sort()).toEqual([
      "/apiVersionSets/v",
      "/apis/x",
      "/apis/y",
      "/namedValues/a",
      "/namedValues/b",
      "/products/p",
      "/products/p/apis/x",
      "/products/p/tags/t",
      "/tags/t",
    ]);
    expect(loaded.resources.get("/apiVersionSets/V")?.properties["versioningScheme"]).toBe("Segment");
  });

  test("workspaces hold the same tree", async () => {
    const loaded = await loadFiles({
      "workspaces/w/policy.xml": POLICY,
      "workspaces/w/backends/b/backendInformation.json": info({ url: "https://w.example" }),
      "workspaces/w/apis/a/apiInformation.json": info({ path: "a", displayName: "A", backendId: "b" }),
      "workspaces/w/products/p/productInformation.json": info({ displayName: "P" }),
      "workspaces/w/products/p/apis.json": [{ name: "a" }],
      "workspaces/w/subscriptions/s/subscriptionInformation.json": info({
        displayName: "S",
        scope: "/products/p",
      }),
    });
    expect(told(loaded.problems)).toEqual([]);
    const { resources } = loaded;
    expect(resources.policyOf("/workspaces/w")?.scopeId).toBe("/workspaces/w");
    expect(resources.apis()[0]).toMatchObject({ id: "/workspaces/w/apis/a", type: "workspaces/apis" });
    expect(resources.apisOf("/workspaces/w/products/p")).toEqual(["/workspaces/w/apis/a"]);
    expect(resources.resolve("b", "backends", "/workspaces/w/apis/a")?.id).toBe("/workspaces/w/backends/b");
  });

  test("a workspace sees the service's groups and loggers, its APIs only when a link says so", async () => {
    const loaded = await loadFiles({
      "apis/outer/apiInformation.json": info({ path: "o", displayName: "O" }),
      "backends/outer/backendInformation.json": info({ url: "https://o" }),
      "loggers/l/loggerInformation.json": info({ loggerType: "azureMonitor" }),
      "workspaces/w/apis/a/apiInformation.json": info({ path: "a", displayName: "A", backendId: "outer" }),
      "workspaces/w/diagnostics/d/diagnosticInformation.json": info({ loggerId: "l" }),
      "workspaces/w/products/p/productInformation.json": info({ displayName: "P" }),
      "workspaces/w/products/p/apis.json": [
        { name: "outer", scope: "service" },
        { name: "a", scope: "workspace" },
      ],
      "workspaces/w/products/p/groups.json": [{ name: "developers" }],
      "workspaces/w/products/q/productInformation.json": info({ displayName: "Q" }),
      "workspaces/w/products/q/apis.json": [{ name: "outer" }],
    });
    expect(told(loaded.problems)).toEqual([
      "HG4501 error workspaces/w/apis/a/apiInformation.json:5:18 API `a` refers to backend `outer`, which does not exist",
      "HG4501 error workspaces/w/products/q/apis.json:3:13 Product `q` refers to API `outer`, which does not exist",
    ]);
    expect(loaded.resources.apisOf("/workspaces/w/products/p")).toEqual([
      "/apis/outer",
      "/workspaces/w/apis/a",
    ]);
    expect(loaded.resources.groupsOf("/workspaces/w/products/p")).toEqual(["/groups/developers"]);
  });
});

test("unknown properties are kept, known ones normalised, null is absent", async () => {
  const { resources, problems } = await loadFiles({
    "apis/a/apiInformation.json": info({
      Path: "a",
      displayName: "A",
      SubscriptionRequired: "True",
      protocols: ["HTTPS"],
      serviceUrl: null,
      somethingNew: { deep: [1] },
      mcpProperties: { endpoints: { mcp: { uriTemplate: "/mcp" } } },
    }),
  });
  expect(told(problems)).toEqual([]);
  expect(resources.get("/apis/a")?.properties).toEqual({
    path: "a",
    displayName: "A",
    subscriptionRequired: true,
    protocols: ["https"],
    somethingNew: { deep: [1] },
    mcpProperties: { endpoints: { mcp: { uriTemplate: "/mcp" } } },
    apiRevision: "1",
  });
});

describe("APIs", () => {
  test("the current revision decides what is shared, and lends its operations", async () => {
    const { resources, problems } = await loadFiles({
      "apis/a/apiInformation.json": info({ path: "a", displayName: "A", apiRevision: "2", isCurrent: true }),
      "apis/a/specification.yaml": OPENAPI,
      "apis/a;rev=1/apiInformation.json": info({
        path: "other",
        displayName: "A",
        apiRevision: "1",
        isCurrent: false,
      }),
    });
    expect(told(problems)).toEqual([
      "HG5208 warning apis/a;rev=1/apiInformation.json:3:13 revision 1 has another `path` than the current revision; the current one's is used",
    ]);
    const [current, old] = resources.revisionsOf("/apis/a;rev=1");
    expect([current!.id, old!.id]).toEqual(["/apis/a", "/apis/a;rev=1"]);
    expect(resources.isCurrent(current!)).toBe(true);
    expect((old!.properties as ApiProperties).path).toBe("a");
    expect(resources.operationsOf(old!.id).map(({ name }) => name)).toEqual(["GetOrder", "create-order"]);
    expect(resources.resolve("/apis/a;rev=2", "apis")?.id).toBe("/apis/a");
  });

  test("what the API says wins over its specification", async () => {
    const files = { "apis/a/specification.yaml": OPENAPI };
    const said = await loadFiles({
      ...files,
      "apis/a/apiInformation.json": info({ path: "a", displayName: "A", serviceUrl: "https://mine" }),
    });
    expect(said.resources.get("/apis/a")?.properties).toMatchObject({
      displayName: "A",
      serviceUrl: "https://mine",
    });
    const silent = await loadFiles({ ...files, "apis/a/apiInformation.json": info({ path: "a" }) });
    expect(silent.resources.get("/apis/a")?.properties).toMatchObject({
      displayName: "Orders",
      serviceUrl: "https://orders.example",
    });
  });

  test("a WebSocket API has its one operation, a GraphQL API its schema", async () => {
    const { resources, problems } = await loadFiles({
      "apis/ws/apiInformation.json": info({ path: "ws", displayName: "W", type: "websocket" }),
      "apis/ws/operations/onHandshake/policy.xml": POLICY,
      "apis/g/apiInformation.json": info({ path: "g", displayName: "G", type: "graphql" }),
      "apis/g/specification.graphql": "type Query { a: Int }",
    });
    expect(told(problems)).toEqual([]);
    expect(resources.policyOf("/apis/ws/operations/onhandshake")?.text).toBe(POLICY);
    expect(resources.get("/apis/g/schemas/graphql")?.properties["document"]).toEqual({
      value: "type Query { a: Int }",
    });
  });
});

describe("problems", () => {
  const API = { "apis/a/apiInformation.json": info({ path: "a", displayName: "A" }) };
  test.each<[string, Files, string[]]>([
    ["nothing is wrong with nothing", {}, []],
    [
      "a type error",
      { "apis/a/apiInformation.json": info({ path: "a", displayName: "A", subscriptionRequired: "yes" }) },
      [
        "HG5201 error apis/a/apiInformation.json:5:29 `subscriptionRequired` must be true or false, but is the text `yes` (write `true` without quotes)",
      ],
    ],
    [
      "a path with spaces",
      { "apis/a/apiInformation.json": info({ path: "my api", displayName: "A" }) },
      ["HG5203 error apis/a/apiInformation.json:3:13 `path` must not contain spaces (write `my-api`)"],
    ],
    [
      "an unknown scheme",
      { "versionSets/v/versionSetInformation.json": info({ displayName: "V", versioningScheme: "Path" }) },
      [
        "HG5202 error versionSets/v/versionSetInformation.json:4:25 `versioningScheme` must be one of `Segment`, `Header`, `Query`, but is the text `Path`",
      ],
    ],
    [
      "a misspelt property",
      { "apis/a/apiInformation.json": info({ path: "a", displayName: "A", subscriptionRequried: false }) },
      [
        "HG5205 warning apis/a/apiInformation.json:5:5 API has no property `subscriptionRequried` (did you mean `subscriptionRequired`?)",
      ],
    ],
    [
      "a missing property",
      { "versionSets/v/versionSetInformation.json": info({ displayName: "V" }) },
      [
        "HG5204 error versionSets/v/versionSetInformation.json:2:17 Version set `v` has no `versioningScheme`",
      ],
    ],
    [
      "properties in the wrong place",
      { "backends/b/backendInformation.json": { url: "https://b" } },
      [
        'HG5207 error backends/b/backendInformation.json:1:1 `properties` is missing (put everything inside `"properties": { … }`)',
      ],
    ],
    [
      "an inner property",
      {
        "backends/b/backendInformation.json": info({
          url: "b.example",
          circuitBreaker: { rules: [{ failureCondition: { interval: "1 minute", cuont: 3 } }] },
        }),
      },
      [
        "HG5203 error backends/b/backendInformation.json:3:12 `url` must be an absolute URL, but is `b.example` (write `https://b.example`)",
        "HG5203 error backends/b/backendInformation.json:8:25 `circuitBreaker.rules[0].failureCondition.interval` must be an ISO 8601 duration, but is `1 minute` (for example `PT1M` or `PT30S`)",
        "HG5205 warning backends/b/backendInformation.json:9:13 circuitBreaker.rules[0].failureCondition has no property `cuont` (did you mean `count`?)",
      ],
    ],
    [
      "broken JSON does not make more of itself",
      {
        "backends/b/backendInformation.json": '{"properties": {"url": "https://b",}}',
        "apis/a/apiInformation.json": info({ path: "a", displayName: "A", backendId: "b" }),
      },
      ["HG5101 error backends/b/backendInformation.json:1:35 JSON has no trailing commas (remove the comma)"],
    ],
    [
      "misspelt files and folders",
      {
        "backend/b/backendInformation.json": {},
        "backends/x/backendInformaton.json": info({ url: "https://x" }),
        "apis/readme.md": "",
        ...API,
        "apis/a/polcy.xml": POLICY,
      },
      [
        "HG5601 warning apis/a/polcy.xml unknown file; it is ignored (did you mean `policy.xml`?)",
        "HG5602 warning backend unknown folder; it is ignored (did you mean `backends`?)",
        "HG5603 error backends/x the folder has no `backendInformation.json` (rename `backendInformaton.json` to `backendInformation.json`)",
      ],
    ],
    [
      "unknown references",
      {
        "products/p/productInformation.json": info({ displayName: "P" }),
        "products/p/apis.json": [{ name: "orders" }, { name: "b" }],
        "apis/order/apiInformation.json": info({
          path: "o",
          displayName: "O",
          apiVersion: "1",
          apiVersionSetId: "/apiVersionSets/nope",
        }),
        "backends/pool/backendInformation.json": info({
          type: "Pool",
          pool: { services: [{ id: "/backends/one" }] },
        }),
        "subscriptions/s/subscriptionInformation.json": info({ displayName: "S", scope: "/products/q" }),
        "subscriptions/t/subscriptionInformation.json": info({ displayName: "T", scope: "/backends/pool" }),
        "subscriptions/u/subscriptionInformation.json": info({
          displayName: "U",
          scope: "/apis",
          ownerId: "/users/7",
        }),
        "diagnostics/d/diagnosticInformation.json": info({ loggerId: "/loggers/l" }),
        "apis/order/operations/getOrder/policy.xml": POLICY,
      },
      [
        "HG4501 error apis/order/apiInformation.json:6:24 API `order` refers to version set `/apiVersionSets/nope`, which does not exist",
        "HG4506 error apis/order/operations/getOrder API `order` has no operation `getOrder`",
        "HG4501 error backends/pool/backendInformation.json:7:17 Backend `pool` refers to backend `/backends/one`, which does not exist",
        "HG4501 error diagnostics/d/diagnosticInformation.json:3:17 Diagnostic `d` refers to logger `/loggers/l`, which does not exist",
        "HG4501 error products/p/apis.json:3:13 Product `p` refers to API `orders`, which does not exist (did you mean `order`?)",
        "HG4501 error products/p/apis.json:6:13 Product `p` refers to API `b`, which does not exist",
        "HG4501 error subscriptions/s/subscriptionInformation.json:4:14 Subscription `s` refers to product `/products/q`, which does not exist",
        "HG4504 error subscriptions/t/subscriptionInformation.json:4:14 the scope of subscription `t` is not one a subscription can have: `/backends/pool` (for example `/apis`, `/apis/{id}` or `/products/{id}`)",
        "HG4502 warning subscriptions/u/subscriptionInformation.json:5:16 Subscription `u` refers to user `/users/7`, which does not exist",
      ],
    ],
    [
      "duplicates",
      {
        "apis/a/apiInformation.json": info({ path: "same", displayName: "A" }),
        "apis/a/operations/x/operationInformation.json": info({
          displayName: "X",
          method: "GET",
          urlTemplate: "/o/{id}",
        }),
        "apis/a/operations/y/operationInformation.json": info({
          displayName: "Y",
          method: "get",
          urlTemplate: "/o/{key}/",
        }),
        "apis/b/apiInformation.json": info({ path: "/same/", displayName: "B" }),
        "namedValues/n/namedValueInformation.json": info({ displayName: "key", value: "1" }),
        "namedValues/m/namedValueInformation.json": info({ displayName: "KEY", value: "2" }),
        "named values/n/namedValueInformation.json": info({ displayName: "other", value: "1" }),
      },
      [
        "HG4602 error apis/a/operations/y/operationInformation.json:5:20 operation `y` of API `a` has the same method and URL template as operation `x`",
        "HG4601 error apis/b/apiInformation.json:3:13 API `b` has the same path as API `a`",
        "HG4608 error namedValues/n/namedValueInformation.json named value `n` is defined twice",
      ],
    ],
  ])("%s", async (_, files, expected) => {
    expect(told((await loadFiles(files)).problems)).toEqual(expected);
  });
});

test("a folder that is not there, and a file in its place", async () => {
  await withFolder({ "file.txt": "x" }, async (folder) => {
    for (const path of [`${folder}/nowhere`, `${folder}/file.txt`]) {
      expect(told((await loadFolder(path)).problems)).toEqual([
        `HG5007 error - there is no folder \`${path}\``,
      ]);
    }
  });
});

test("an unchanged folder is the same version, a changed one another; nothing is parsed twice", async () => {
  await withFolder(LAYOUT_A, async (folder) => {
    const loader = new FolderLoader(folder);
    const [first, second] = [await loader.load(), await loader.load()];
    expect(second.resources.version).toBe(first.resources.version);
    expect(second.resources.get("/backends/b")?.properties).toEqual(
      first.resources.get("/backends/b")?.properties,
    );
    const before = first.resources.get("/subscriptions/s")?.properties["primaryKey"];
    expect(second.resources.get("/subscriptions/s")?.properties["primaryKey"]).toBe(before);
  });
});
