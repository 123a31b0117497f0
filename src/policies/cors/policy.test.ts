import { expect, test } from "vitest";
import type { ResponseMessage } from "../../gateway/message.ts";
import { type Written, exchangeOf, mistakesOf, policyStep } from "../../gateway/testing.ts";
import { cors } from "./policy.ts";

const list = (name: string, texts: readonly unknown[]): Written => ({
  children: { [name]: texts.map((text) => ({ text })) },
});

interface Setting {
  readonly origins?: readonly string[];
  readonly methods?: readonly unknown[];
  readonly maxAge?: number;
  readonly headers?: readonly string[];
  readonly expose?: readonly string[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

function written(setting: Setting): Written {
  const { methods, maxAge } = setting;
  return {
    attributes: setting.attributes,
    children: {
      "allowed-origins": [list("origin", setting.origins ?? ["https://a.example"])],
      "allowed-methods":
        methods === undefined
          ? []
          : [{ ...list("method", methods), attributes: { "preflight-result-max-age": maxAge } }],
      "allowed-headers": [list("header", setting.headers ?? ["X-One", "x-two"])],
      "expose-headers": setting.expose === undefined ? [] : [list("header", setting.expose)],
    },
  };
}

/** What happens, and the headers that will be added. */
function run(setting: Setting, method: string, headers: readonly string[], isPreflight = false): string {
  const exchange = exchangeOf({ method, headers });
  exchange.isPreflight = isPreflight;
  const outcome = policyStep(cors, written(setting)).run(exchange, null) as ResponseMessage | undefined;
  const added =
    exchange.corsHeaders
      ?.map((part, i) => (i % 2 === 0 ? part.replace("Access-Control-", "") + "=" : `${part};`))
      .join("") ?? "";
  return `${outcome === undefined ? "goes on" : `${outcome.statusCode} ${outcome.body === null ? "empty" : "body"}`} ${added}`.trim();
}

const fromA = ["Origin", "https://a.example"];
const fromB = ["Origin", "https://b.example"];
const open: Setting = { attributes: { "terminate-unmatched-request": false } };

/** The table of `policies.md` 28. */
test.each<[string, Setting, string, readonly string[], string]>([
  ["no Origin", {}, "GET", [], "goes on"],
  ["GET, match", {}, "GET", fromA, "goes on Allow-Origin=https://a.example;Vary=Origin;"],
  ["HEAD, match", {}, "HEAD", fromA, "goes on Allow-Origin=https://a.example;Vary=Origin;"],
  ["POST, match", {}, "POST", fromA, "goes on Allow-Origin=https://a.example;Vary=Origin;"],
  ["GET, no match", {}, "GET", fromB, "200 empty"],
  ["PUT, no match", {}, "PUT", fromB, "200 empty"],
  ["GET, no match, going on", open, "GET", fromB, "goes on"],
  ["PUT, no match, going on", open, "PUT", fromB, "goes on"],
  ["any origin", { origins: ["*"] }, "GET", fromB, "goes on Allow-Origin=*;"],
  [
    "credentials",
    { attributes: { "allow-credentials": true } },
    "GET",
    fromA,
    "goes on Allow-Origin=https://a.example;Vary=Origin;Allow-Credentials=true;",
  ],
  [
    "credentials with any origin",
    { origins: ["*"], attributes: { "allow-credentials": true } },
    "GET",
    fromA,
    "goes on Allow-Origin=*;",
  ],
  [
    "exposed headers",
    { expose: ["A", "B"] },
    "GET",
    fromA,
    "goes on Allow-Origin=https://a.example;Vary=Origin;Expose-Headers=A,B;",
  ],
])("an actual request: %s", (_name, setting, method, headers, expected) => {
  expect(run(setting, method, headers)).toBe(expected);
});

const asking = (...more: string[]): string[] => [...fromA, "Access-Control-Request-Method", "PUT", ...more];
const HEAD = "200 empty Allow-Origin=https://a.example;Vary=Origin;";

test.each<[string, Setting, readonly string[], string]>([
  ["default methods", {}, asking(), `${HEAD}Allow-Methods=GET,POST;Allow-Headers=X-One,x-two;Max-Age=0;`],
  [
    "listed methods",
    { methods: ["get", () => "PUT"] },
    asking(),
    `${HEAD}Allow-Methods=GET,PUT;Allow-Headers=X-One,x-two;Max-Age=0;`,
  ],
  [
    "any method",
    { methods: ["*"] },
    asking(),
    `${HEAD}Allow-Methods=PUT;Allow-Headers=X-One,x-two;Max-Age=0;`,
  ],
  [
    "any header",
    { headers: ["*"] },
    asking("Access-Control-Request-Headers", "X-A, X-B"),
    `${HEAD}Allow-Methods=GET,POST;Allow-Headers=X-A, X-B;Max-Age=0;`,
  ],
  ["any header, none asked for", { headers: ["*"] }, asking(), `${HEAD}Allow-Methods=GET,POST;Max-Age=0;`],
  [
    "an age",
    { methods: ["*"], maxAge: 300 },
    asking(),
    `${HEAD}Allow-Methods=PUT;Allow-Headers=X-One,x-two;Max-Age=300;`,
  ],
  [
    "exposed headers are for answers",
    { expose: ["A"] },
    asking(),
    `${HEAD}Allow-Methods=GET,POST;Allow-Headers=X-One,x-two;Max-Age=0;`,
  ],
  [
    "another origin",
    {},
    ["Origin", "https://b.example", "Access-Control-Request-Method", "PUT"],
    "200 empty",
  ],
  [
    "another origin, going on",
    open,
    ["Origin", "https://b.example", "Access-Control-Request-Method", "PUT"],
    "goes on",
  ],
])("a preflight: %s", (_name, setting, headers, expected) => {
  expect(run(setting, "OPTIONS", headers, true)).toBe(expected);
});

test("of several the first that lets the origin in counts", () => {
  const exchange = exchangeOf({ headers: fromA });
  const first = policyStep(cors, written({ origins: ["https://a.example"] }));
  const second = policyStep(cors, written({ origins: ["https://b.example"] }));
  expect(first.run(exchange, null)).toBeUndefined();
  expect(second.run(exchange, null)).toBeUndefined();
  expect(exchange.corsHeaders).toContain("https://a.example");
});

test.each([
  ["https://a.example", "https://A.example", true],
  ["https://a.example", "https://a.example:443", true],
  ["https://a.example:443/", "https://a.example", true],
  ["http://a.example", "http://a.example:80", true],
  ["http://a.example", "https://a.example", false],
  ["https://a.example", "https://a.example:8443", false],
  ["https://a.example", "https://x.a.example", false],
  ["https://a.example", "https://a.example.evil", false],
  ["https://a.example", "null", false],
  ["null", "null", true],
  ["https://a.example", "not an origin", false],
])("configured %s, asked by %s: %s", (configured, origin, matches) => {
  expect(run({ origins: [configured] }, "GET", ["Origin", origin]).startsWith("goes on")).toBe(matches);
});

test.each<[Setting, readonly string[]]>([
  [{}, []],
  [{ origins: ["*"] }, []],
  [{ origins: ["a.example"] }, ['"a.example" is not an origin']],
  [{ origins: ["https://a.example/path"] }, ['"https://a.example/path" is not an origin']],
  [
    { origins: ["*"], attributes: { "allow-credentials": true } },
    ["browsers send no credentials where every origin is allowed"],
  ],
])("mistakes %#", (setting, expected) => {
  expect(mistakesOf(cors, written(setting))).toEqual(expected);
});
