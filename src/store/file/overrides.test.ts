import { describe, expect, test } from "vitest";
import { type Files, info, loadFiles, told } from "./folder.fixture.ts";
import { mergeProperties } from "./overrides.ts";

const FILES: Files = {
  "apis/demo/apiInformation.json": info({
    path: "demo",
    displayName: "D",
    serviceUrl: "https://dev",
    contact: { name: "n", url: "u" },
  }),
  "apis/demo/specification.yaml": 'openapi: "3.0.0"\npaths: { /x: { get: { operationId: GetX } } }\n',
  "apis/demo/operations/GetX/policy.xml": "<policies />",
  "apis/demo/diagnostics/appi/diagnosticInformation.json": info({ loggerId: "/loggers/l" }),
  "loggers/l/loggerInformation.json": info({ loggerType: "azureMonitor" }),
  "backends/one/backendInformation.json": info({ url: "https://dev" }),
  "namedValues/client/namedValueInformation.json": info({ displayName: "client-id", secret: true }),
  "versionSets/v/versionSetInformation.json": info({ displayName: "V", versioningScheme: "Segment" }),
  "workspaces/w/backends/one/backendInformation.json": info({ url: "https://dev" }),
};

function load(yaml: string, variables?: Record<string, string>) {
  const files = { ...FILES, "configuration.prod.yaml": yaml };
  return loadFiles(files, { overridesFor: "Prod", variables, environment: { FROM_ENV: "env" } });
}

test("every level can be overridden", async () => {
  const { resources, problems } = await load(
    `apimServiceName: my-prod
namedValues:
  - name: CLIENT
    properties: { displayName: client-id, value: "{#clientId#}" }
backends:
  - { name: one, properties: { url: {#[HOST]#}, title: "a {#FROM_ENV#} b" } }
versionSets: [{ name: v, properties: { versioningScheme: Query, versionQueryName: ver } }]
apis:
  - name: demo
    properties: { serviceUrl: "https://prod", contact: { name: m }, apiRevision: 3 }
    diagnostics: [{ name: appi, properties: { verbosity: Error } }]
    operations:
      - name: getx
        properties: { displayName: Renamed }
        policies: [{ name: policy, properties: { format: rawxml, value: "<policies/>" } }]
workspaces:
  - name: w
    backends: [{ name: one, properties: { url: "https://w" } }]
`,
    { clientId: 'quote " and \\ and }}', HOST: "https://prod" },
  );
  expect(told(problems)).toEqual([
    "HG5407 warning configuration.prod.yaml:10:69 `apiRevision` cannot be overridden and keeps its value",
  ]);
  const properties = (id: string) => resources.get(id)?.properties;
  expect(properties("/namedValues/client")).toMatchObject({ value: 'quote " and \\ and }}' });
  expect(properties("/backends/one")).toMatchObject({ url: "https://prod", title: "a env b" });
  expect(properties("/apiVersionSets/v")).toMatchObject({
    versioningScheme: "Query",
    versionQueryName: "ver",
  });
  expect(properties("/apis/demo")).toMatchObject({
    serviceUrl: "https://prod",
    path: "demo",
    contact: { name: "m", url: "u" },
  });
  expect(properties("/apis/demo/diagnostics/appi")).toMatchObject({
    verbosity: "error",
    loggerId: "/loggers/l",
  });
  expect(properties("/apis/demo/operations/GetX")).toMatchObject({ displayName: "Renamed", method: "GET" });
  expect(properties("/workspaces/w/backends/one")).toMatchObject({ url: "https://w" });
  expect(resources.policyOf("/apis/demo/operations/GetX")).toMatchObject({
    text: "<policies/>",
    file: "configuration.prod.yaml",
    embedded: true,
  });
});

describe("problems", () => {
  test.each<[string, string, string[]]>([
    ["an empty file", "# nothing yet\n", []],
    [
      "an unknown section",
      "backend: []",
      ["HG5402 warning configuration.prod.yaml:1:1 unknown section `backend` (did you mean `backends`?)"],
    ],
    [
      "not a list",
      "backends: { name: x }",
      [
        "HG5106 error configuration.prod.yaml:1:11 the file must hold a list of backend entries here, but holds an object",
      ],
    ],
    [
      "no name",
      "backends: [{ properties: {} }]",
      [
        "HG5406 error configuration.prod.yaml:1:12 an entry has no `name` (write `name: …`, the name of the folder)",
      ],
    ],
    [
      "an unknown name",
      "backends: [{ name: ones, properties: { url: x } }]",
      [
        "HG5401 warning configuration.prod.yaml:1:20 no backend is called `ones`, so this override has no effect (did you mean `one`?)",
      ],
    ],
    [
      "of something unknown the inside is not told as well",
      "apis: [{ name: demos, policies: [{ name: policy, properties: { value: x } }], operations: [{ name: o, policies: [{ name: policy, properties: {} }] }] }]",
      [
        "HG5401 warning configuration.prod.yaml:1:16 no API is called `demos`, so this override has no effect (did you mean `demo`?)",
      ],
    ],
    [
      "a wrong value is told where it was written",
      "backends:\n  - name: one\n    properties:\n      url: prod.example\n",
      [
        "HG5203 error configuration.prod.yaml:4:12 `url` must be an absolute URL, but is `prod.example` (write `https://prod.example`)",
      ],
    ],
    [
      "a token without a value",
      'backends: [{ name: one, properties: { url: "https://{#HOST#}" } }]',
      [
        "HG5403 error configuration.prod.yaml:1:44 the token `{#HOST#}` has no value (pass `--var HOST=…` or set the variable `HOST`)",
      ],
    ],
  ])("%s", async (_, yaml, expected) => {
    const { problems } = await load(yaml);
    expect(told(problems.filter(({ code }) => code !== "HG5404"))).toEqual(expected);
  });

  test("the file for an environment must exist", async () => {
    const files = { "configuration.prod.yaml": "", "configuration.test.yaml": "" };
    const { problems } = await loadFiles(files, { overridesFor: "prods" });
    expect(told(problems)).toEqual([
      "HG5409 error - there is no overrides file `configuration.prods.yaml` (did you mean `prod`?)",
    ]);
  });
});

test.each<[object, object, object]>([
  [{ a: 1, b: { c: 1, d: 2 } }, { b: { d: 3 } }, { a: 1, b: { c: 1, d: 3 } }],
  [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
  [{ a: { x: 1 } }, { a: "text" }, { a: "text" }],
  [{ serviceUrl: "a" }, { ServiceUrl: "b" }, { serviceUrl: "b" }],
  [{ a: 1 }, { a: null }, { a: null }],
])("merging %j with %j", (base, override, merged) => {
  expect(mergeProperties({ ...base }, { ...override })).toEqual(merged);
});
