import { expect, test } from "vitest";
import type { Api } from "../../gateway/snapshot.ts";
import { ChunkSource, apiOf, exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { redirectContentUrls } from "./policy.ts";

interface Given {
  readonly serviceUrl?: string;
  readonly api?: Partial<Api>;
  readonly headers?: readonly string[];
  readonly inbound?: boolean;
}

async function run(
  body: string | Uint8Array,
  { serviceUrl = "http://inside.example/base", api = {}, headers = [], inbound = false }: Given = {},
): Promise<string> {
  const exchange = exchangeOf({
    headers: ["Host", "api.example", ...(inbound ? headers : [])],
    body: new ChunkSource([body]),
  });
  exchange.api = { ...apiOf({ path: "shop", serviceUrl }), ...api };
  exchange.request.setTarget(exchange.api.target!);
  exchange.response = responseOf(200, new ChunkSource([body]), headers);
  exchange.section = inbound ? "inbound" : "outbound";
  await policyStep(redirectContentUrls, {}, { section: exchange.section }).run(exchange, null);
  const { body: after } = inbound ? exchange.request : exchange.response;
  return Buffer.from(after!.bytes()).toString("latin1");
}

const OURS = "http://api.example/shop";

test.each<[string, string, Given, string]>([
  ["a link", '<a href="http://inside.example/base/x?y=1">', {}, `<a href="${OURS}/x?y=1">`],
  ["all links", "http://inside.example/base http://inside.example/base/", {}, `${OURS} ${OURS}/`],
  ["at the end of a sentence", "See http://inside.example/base.", {}, `See ${OURS}.`],
  [
    "as JSON escapes it",
    '{"u":"http:\\/\\/inside.example\\/base\\/x"}',
    {},
    '{"u":"http:\\/\\/api.example\\/shop\\/x"}',
  ],
  ["with the default port", "http://inside.example:80/base/x", {}, `${OURS}/x`],
  ["scheme and host have no case", "HTTP://Inside.Example/base", {}, OURS],
  ["the path has", "http://inside.example/BASE", {}, "http://inside.example/BASE"],
  ["another path that begins so", "http://inside.example/basement", {}, "http://inside.example/basement"],
  ["another path", "http://inside.example/other", {}, "http://inside.example/other"],
  ["another scheme", "https://inside.example/base", {}, "https://inside.example/base"],
  [
    "another host that begins so",
    "http://inside.example.org",
    { serviceUrl: "http://inside.example" },
    "http://inside.example.org",
  ],
  [
    "another port",
    "http://inside.example:8080/",
    { serviceUrl: "http://inside.example" },
    "http://inside.example:8080/",
  ],
  ["its own port", "http://inside.example:8080/", { serviceUrl: "http://inside.example:8080" }, `${OURS}/`],
  [
    "no base path",
    "http://inside.example/x http://inside.example",
    { serviceUrl: "http://inside.example" },
    `${OURS}/x ${OURS}`,
  ],
  ["an API at the root", "http://inside.example/base/x", { api: { path: "" } }, "http://api.example/x"],
  [
    "a version in the path",
    "http://inside.example/base",
    { api: { version: "v2", versionSet: { id: "s", scheme: "Segment", parameter: "" } } },
    `${OURS}/v2`,
  ],
  [
    "a version elsewhere",
    "http://inside.example/base",
    { api: { version: "v2", versionSet: { id: "s", scheme: "Query", parameter: "v" } } },
    OURS,
  ],
  [
    "the other way round",
    `{"callback":"${OURS}/x"}`,
    { inbound: true },
    '{"callback":"http://inside.example/base/x"}',
  ],
  ["nothing to replace", "hello", {}, "hello"],
])("redirect-content-urls: %s", async (_name, body, given, expected) => {
  expect(await run(body, given)).toBe(expected);
});

test("octets that are no text stay", async () => {
  const body = Buffer.concat([
    Buffer.of(0xff, 0x80),
    Buffer.from("http://inside.example/base"),
    Buffer.of(0xfe),
  ]);
  expect(await run(body)).toBe(`\xff\x80${OURS}\xfe`);
});

test("UTF-16", async () => {
  const body = Buffer.from("ü http://inside.example/base ü", "utf16le");
  const after = await run(body, { headers: ["Content-Type", "text/plain; charset=utf-16"] });
  expect(Buffer.from(after, "latin1").toString("utf16le")).toBe(`ü ${OURS} ü`);
});
