import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { configureBudget } from "../../compiler/runtime/budget.ts";
import type { BodyRule, SchemaUse, StoredSchema } from "../../gateway/snapshot.ts";
import {
  ChunkSource,
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { GENERIC } from "../../validation/findings.ts";
import { describeOperation, outcomeOf } from "../../validation/testing.ts";
import { validateContent } from "./policy.ts";

configureBudget(() => performance.now());

const ORDER = {
  components: {
    schemas: { Order: { type: "object", required: ["id"], properties: { id: { type: "string" } } } },
  },
};
const described = (contentType = "application/json", name = "Order"): BodyRule => ({
  contentType,
  schema: { document: ORDER, pointer: `#/components/schemas/${name}`, name },
});
function xsd(inner: string): StoredSchema {
  const xml = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:o" targetNamespace="urn:o" elementFormDefault="qualified">${inner}</xs:schema>`;
  return { type: "xml", document: null, xml };
}

const STORED: ReadonlyMap<string, StoredSchema> = new Map([
  [
    "strict",
    {
      type: "json",
      document: {
        definitions: { N: { type: "integer" } },
        type: "object",
        properties: { n: { $ref: "#/definitions/N" } },
      },
      xml: null,
    },
  ],
  [
    "order",
    xsd(
      `<xs:element name="order"><xs:complexType><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence></xs:complexType></xs:element>`,
    ),
  ],
  ["broken", xsd(`<xs:element name="order" type="nowhere"/>`)],
]);

interface Given {
  readonly body?: string | Uint8Array;
  readonly type?: string;
  readonly headers?: readonly string[];
  readonly bodies?: readonly BodyRule[];
  readonly attributes?: Record<string, unknown>;
  readonly map?: Written;
  readonly content?: Record<string, unknown> | null;
  readonly outbound?: boolean;
}

async function run(given: Given): Promise<string> {
  const {
    body = '{"id":"1"}',
    type = "application/json",
    headers = [],
    bodies = [described()],
    map,
    content = {},
    outbound = false,
  } = given;
  const all = [...(type === "" ? [] : ["Content-Type", type]), ...headers];
  const exchange = exchangeOf(
    { headers: outbound ? [] : all, body: new ChunkSource([body]) },
    snapshotOf({ schemas: STORED }),
  );
  exchange.response = responseOf(200, new ChunkSource([body]), all);
  describeOperation(
    exchange,
    "/x",
    outbound ? { responses: [{ status: "200", headers: [], bodies }] } : { bodies },
  );
  const attributes = {
    "unspecified-content-type-action": "prevent",
    "max-size": 1000,
    "size-exceeded-action": "prevent",
    ...given.attributes,
  };
  const children = {
    ...(map === undefined ? {} : { "content-type-map": [map] }),
    content:
      content === null
        ? []
        : [
            {
              attributes: { type: "application/json", "validate-as": "json", action: "prevent", ...content },
            },
          ],
  };
  return outcomeOf(
    policyStep(validateContent, { attributes, children }, { section: outbound ? "outbound" : "inbound" }),
    exchange,
  );
}

const bad = (details: string, client?: string): string =>
  `400 Bad request: ${details}${client === undefined ? "" : ` | client: ${client}`}`;
const mismatch = (reason: string, type = "application/json", definition = " Order,"): string =>
  bad(
    `Body of the request does not conform to the definition${definition} which is associated with the content type ${type}. ${reason}`,
  );

test.each<[string, Given, string]>([
  ["conforms", {}, "ok"],
  [
    "does not",
    { body: '{"id":null}' },
    mismatch("Invalid type. Expected String but got Null. Line: 1, Position: 10"),
  ],
  [
    "lacks a property",
    { body: "{\n}" },
    mismatch("Required properties are missing from object: id. Line: 1, Position: 1"),
  ],
  [
    "no JSON",
    { body: '{"id":}' },
    mismatch("Unexpected character encountered while parsing value: }. Line: 1, Position: 6"),
  ],
  ["JSON with comments", { body: "{/* */}" }, mismatch("It is not valid JSON. Line: 1, Position: 1")],
  [
    "half a JSON",
    { body: '{"id":' },
    mismatch("Unexpected end of content while loading JToken. Line: 1, Position: 6"),
  ],
  ["too deep", { body: "[".repeat(200) }, mismatch("It is nested deeper than 128. Line: 1, Position: 1")],
  [
    "compressed",
    { body: gzipSync('{"id":1}'), headers: ["Content-Encoding", "gzip"] },
    mismatch("Invalid type. Expected String but got Integer. Line: 1, Position: 7"),
  ],
  ["an empty body", { body: "" }, "ok"],
  [
    "anonymous",
    {
      body: "1",
      bodies: [
        { contentType: "application/json", schema: { document: { type: "string" }, pointer: "#", name: "" } },
      ],
    },
    mismatch("Invalid type. Expected String but got Integer. Line: 1, Position: 1", undefined, ""),
  ],
  [
    "no schema: any JSON will do",
    { body: "[1]", bodies: [{ contentType: "application/json", schema: null }] },
    "ok",
  ],
  ["detected", { body: "{}", content: { action: () => "detect" } }, "ok"],
  ["ignored", { body: "nonsense", content: { action: "ignore" } }, "ok"],
  [
    "another content type",
    { type: "text/plain" },
    bad("Unspecified content type text/plain is not allowed."),
  ],
  [
    "another content type, ignored",
    { type: "text/plain", attributes: { "unspecified-content-type-action": "ignore" } },
    "ok",
  ],
  ["no content type", { type: "" }, bad("Unspecified content type  is not allowed.")],
  [
    "described, but not validated",
    { body: "x", type: "text/plain", bodies: [{ contentType: "text/plain", schema: null }] },
    "ok",
  ],
  [
    "case and parameters of the type",
    { body: "{}", type: "Application/JSON; charset=utf-8" },
    mismatch("Required properties are missing from object: id. Line: 1, Position: 1"),
  ],
  [
    "every described type",
    {
      body: "{}",
      type: "application/x+json",
      bodies: [described("application/x+json")],
      content: { type: undefined },
    },
    mismatch("Required properties are missing from object: id. Line: 1, Position: 1", "application/x+json"),
  ],
  [
    "every described type, not this",
    { type: "application/y+json", content: { type: undefined } },
    bad("Unspecified content type application/y+json is not allowed."),
  ],
  [
    "mapped: any",
    { body: "{}", type: "text/plain", map: { attributes: { "any-content-type-value": "application/json" } } },
    mismatch("Required properties are missing from object: id. Line: 1, Position: 1"),
  ],
  [
    "mapped: missing",
    { type: "", map: { attributes: { "missing-content-type-value": "application/json" } } },
    "ok",
  ],
  [
    "mapped: from, before any",
    {
      type: "text/x",
      map: {
        attributes: { "any-content-type-value": "a/b" },
        children: { type: [{ attributes: { from: "text/X", to: "application/json" } }] },
      },
    },
    "ok",
  ],
  [
    "mapped: when",
    {
      type: "text/x",
      map: {
        children: {
          type: [
            { attributes: { when: () => false, to: "a/b" } },
            { attributes: { when: () => true, to: "application/json" } },
          ],
        },
      },
    },
    "ok",
  ],
  [
    "too large",
    { attributes: { "max-size": 5 } },
    bad(
      "Request's body is 10 bytes long and it exceeds the configured limit of 5 bytes.",
      "Request's body is 10 bytes long and it exceeds the limit of 5 bytes.",
    ),
  ],
  ["too large, ignored", { attributes: { "max-size": 5, "size-exceeded-action": "ignore" } }, "ok"],
  [
    "too large once opened",
    { body: gzipSync("x".repeat(5000)), headers: ["Content-Encoding", "gzip"] },
    bad(
      "Request's body is 5000 bytes long and it exceeds the configured limit of 1000 bytes.",
      "Request's body is 5000 bytes long and it exceeds the limit of 1000 bytes.",
    ),
  ],
  [
    "a stored schema",
    { body: '{"n":"x"}', content: { "schema-id": "Strict" } },
    mismatch("Invalid type. Expected Integer but got String. Line: 1, Position: 8", undefined, ""),
  ],
  [
    "a place in it",
    { body: '"x"', content: { "schema-id": "strict", "schema-ref": "#/definitions/N" } },
    mismatch("Invalid type. Expected Integer but got String. Line: 1, Position: 3", undefined, " N,"),
  ],
  [
    "no such place",
    { content: { "schema-id": "strict", "schema-ref": "#/definitions/M" } },
    bad(
      "API's schema does not contain definition M, which is associated with the content type application/json.",
      GENERIC,
    ),
  ],
  [
    "a description without its schema",
    { bodies: [{ contentType: "application/json", schema: { document: null, pointer: "#", name: "X" } }] },
    bad("API's schema does not exist or it could not be resolved.", GENERIC),
  ],
  [
    "more properties than allowed",
    { body: '{"id":"1","x":1}', content: { "allow-additional-properties": false } },
    mismatch(
      "Property 'x' has not been defined and the schema does not allow additional properties. Line: 1, Position: 15",
    ),
  ],
  ["names without case", { body: '{"ID":"1"}', content: { "case-insensitive-property-names": true } }, "ok"],
  ["XML", { body: "<a/>", type: "text/xml", content: { type: "text/xml", "validate-as": "xml" } }, "ok"],
  [
    "no XML",
    { body: "<a>", type: "text/xml", content: { type: "text/xml", "validate-as": "xml" } },
    mismatch("Unclosed tag: a. Line: 1, Position: 4", "text/xml", ""),
  ],
  [
    "SOAP",
    {
      body: '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>',
      type: "application/soap+xml",
      content: { type: "application/soap+xml", "validate-as": "soap" },
    },
    "ok",
  ],
  [
    "no SOAP",
    { body: "<Envelope/>", type: "text/xml", content: { type: "text/xml", "validate-as": "soap" } },
    mismatch("The root element is not a SOAP envelope. Line: 1, Position: 1", "text/xml", ""),
  ],
  [
    "a response",
    { body: "{}", outbound: true },
    `502 Response not allowed: Body of the response does not conform to the definition Order, which is associated with the content type application/json. Required properties are missing from object: id. Line: 1, Position: 1 | client: ${GENERIC}`,
  ],
  ["a response as described", { outbound: true }, "ok"],
])("validate-content: %s", async (_name, given, expected) => {
  expect(await run(given)).toBe(expected);
});

test("detected: size and content", async () => {
  const said = await run({
    body: "{}",
    attributes: { "max-size": 1, "size-exceeded-action": "detect", "errors-variable-name": "errors" },
    content: { action: "detect" },
  });
  expect(JSON.parse(said)).toEqual([
    {
      Name: "",
      Type: "RequestBody",
      ValidationRule: "SizeLimit",
      Details: "Request's body is 2 bytes long and it exceeds the configured limit of 1 bytes.",
      Action: "detect",
    },
    {
      Name: "application/json",
      Type: "RequestBody",
      ValidationRule: "IncorrectMessage",
      Details: expect.stringContaining("definition Order,") as string,
      Action: "detect",
    },
  ]);
});

test.each<[string, string | null, boolean, Record<string, unknown>, string]>([
  ["nothing to validate", null, false, {}, "ok"],
  ["needed", null, true, {}, "400 Bad request: Required body of the request is missing."],
  ["needed, and empty", "", true, {}, "400 Bad request: Required body of the request is missing."],
  ["the content's action", null, true, { action: "ignore" }, "ok"],
  ["other types are not spoken of", null, true, { type: "text/xml", "validate-as": "xml" }, "ok"],
])("no body: %s", async (_name, body, needsBody, content, expected) => {
  const exchange = exchangeOf({ method: "POST", ...(body !== null && { body: new ChunkSource([body]) }) });
  describeOperation(exchange, "/x", { bodies: [described()], needsBody });
  const step = policyStep(validateContent, {
    attributes: {
      "unspecified-content-type-action": "ignore",
      "max-size": 10,
      "size-exceeded-action": "prevent",
    },
    children: {
      content: [
        { attributes: { type: "application/json", "validate-as": "json", action: "prevent", ...content } },
      ],
    },
  });
  expect(await outcomeOf(step, exchange)).toBe(expected);
});

test("a description that is at fault is told as such", async () => {
  const schema = (document: object | null) =>
    ({ document, pointer: "#/definitions/X", name: "X" }) as SchemaUse;
  const say = async (document: object | null): Promise<unknown> =>
    JSON.parse(
      await run({
        attributes: { "errors-variable-name": "errors" },
        bodies: [{ contentType: "application/json", schema: schema(document) }],
        content: { action: "detect" },
      }),
    );
  const fault = { Name: "", Type: "ApiSchema", ValidationRule: "", Action: "detect" };
  expect(await say(null)).toEqual([
    { ...fault, Details: "API's schema does not exist or it could not be resolved." },
  ]);
  expect(await say({})).toEqual([{ ...fault, Details: "API's schema does not specify definitions." }]);
});

test.each<[string, Record<string, unknown>, string[]]>([
  [
    "a place without a schema",
    { "schema-ref": "#/a" },
    ["`schema-ref` is a place in the stored schema that `schema-id` names"],
  ],
  ["XML Schema", { "validate-as": "xml", "schema-id": "order" }, []],
  ["XML without", { "validate-as": "soap" }, ["without `schema-id`, XML is only checked to be well-formed"]],
  ["JSON", {}, []],
])("validate-content, on save: %s", (_name, content, expected) => {
  const attributes = { "validate-as": "json", action: "prevent", ...content };
  expect(mistakesOf(validateContent, { children: { content: [{ attributes }] } })).toEqual(expected);
});

const ENVELOPE = (inner: string): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">\n<s:Body>${inner}</s:Body></s:Envelope>`;
const asXml = (validateAs = "xml", schemaId = "/schemas/Order"): Partial<Given> => ({
  type: "text/xml",
  content: { type: "text/xml", "validate-as": validateAs, "schema-id": schemaId },
});
const wrongId =
  "Element '{urn:o}id': 'x' is not a valid value of the atomic type 'xs:int'. Line: 2, Position: 1";

test.each<[string, Given, string]>([
  ["conforms", { body: '<order xmlns="urn:o"><id>1</id></order>', ...asXml() }, "ok"],
  [
    "does not",
    { body: '<order xmlns="urn:o">\n<id>x</id></order>', ...asXml() },
    mismatch(wrongId, "text/xml", " order,"),
  ],
  [
    "is no XML",
    { body: '<order xmlns="urn:o"><id>', ...asXml() },
    mismatch("Unclosed tag: id. Line: 1, Position: 26", "text/xml", " order,"),
  ],
  ["SOAP conforms", { body: ENVELOPE('<order xmlns="urn:o"><id>1</id></order>'), ...asXml("soap") }, "ok"],
  [
    "SOAP does not",
    { body: ENVELOPE('<order xmlns="urn:o"><id>x</id></order>'), ...asXml("soap") },
    mismatch(wrongId, "text/xml", " order,"),
  ],
  ["a SOAP fault", { body: ENVELOPE("<s:Fault><s:Code/></s:Fault>"), ...asXml("soap") }, "ok"],
  ["ignored", { body: "<x/>", ...asXml(), content: { ...asXml().content, action: "ignore" } }, "ok"],
  [
    "a schema that is none",
    { body: "<x/>", ...asXml("xml", "broken") },
    bad("API's schema does not exist or it could not be resolved.", GENERIC),
  ],
  [
    "a schema of another kind",
    { body: "<x/>", ...asXml("xml", "strict") },
    bad("API's schema does not exist or it could not be resolved.", GENERIC),
  ],
])("validate-content against an XML Schema: %s", async (_name, given, expected) => {
  expect(await run(given)).toBe(expected);
});
