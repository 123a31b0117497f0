import { expect, test } from "vitest";
import { preflightSteps, route } from "./router.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  type ApiFields,
  type RequestFields,
  type SnapshotFields,
  apiOf,
  exchangeOf,
  productOf,
  snapshotOf,
  stepOf,
} from "./testing.ts";

function snapshot(apis: readonly ApiFields[], fields: SnapshotFields = {}): Snapshot {
  return snapshotOf({ ...fields, apis: apis.map(apiOf) });
}

/** `api operation remainder {parameters}`, `api -` for an API without the operation, `-` for no API. */
function found(config: Snapshot, url: string, fields: RequestFields = {}): string {
  const [method, target] = url.includes(" ") ? (url.split(" ") as [string, string]) : ["GET", url];
  const match = route(config, exchangeOf({ ...fields, method, target }, config));
  if (match.kind === "none") return match.api === null ? "-" : `${match.api.id} -`;
  const parameters = [...match.parameters].map(([name, value]) => `${name}=${value}`).join(" ");
  return `${match.api.id} ${match.operation.urlTemplate} ${match.remainder}${parameters === "" ? "" : ` {${parameters}}`}`;
}

const plain = snapshot([
  {
    path: "a",
    operations: ["GET /x", "GET resource", "POST /items({id})", "GET /need?api-version={v}", "GET /"],
  },
  { path: "t/mcp", operations: ["GET /"] },
  { path: "t/mcp-native", operations: ["GET /"] },
  { path: "w/mcp", operations: ["GET /"] },
  { path: "/.well-known/x/", operations: ["GET /{*path}"] },
  { path: "", operations: ["GET /authorize", "GET /one/{two}"] },
  { path: "b", operations: ["GET /{*path}", "OPTIONS /*", "DELETE /{id}/"] },
]);

test.each([
  // §11: 1–5, 16
  ["POST /a/x", "a -"],
  ["/a/resource/", "a resource /resource/"],
  ["/t/mcp-native", "t-mcp-native / "],
  ["/t/mcp", "t-mcp / "],
  ["/authorize", "root /authorize /authorize"],
  ["/w/mcp", "w-mcp / "],
  ["/a/need", "a -"],
  ["/a/need?api-version=1&more", "a /need?api-version={v} /need {v=1}"],
  ["/b/a/b/c?x=1", "b /{*path} /a/b/c {path=a/b/c}"],
  // Paths
  ["/A/X", "a /x /X"],
  ["/%61/x", "a /x /x"],
  ["/a/%78", "a /x /%78"],
  ["/a", "a / "],
  ["/a/", "a / /"],
  ["/ax/x", "root -"],
  ["/a//x", "a -"],
  ["//a/x", "root -"],
  ["/a/../t/mcp", "t-mcp / "],
  ["/t%2Fmcp", "root -"],
  ["/t/mcp%2Fx", "root -"],
  ["/one/a%2Fb", "root /one/{two} /one/a%2Fb {two=a/b}"],
  ["/.well-known/x/y/z", "-.well-known-x- /{*path} /y/z {path=y/z}"],
  ["post /a/items(7)", "a /items({id}) /items(7) {id=7}"],
  ["HEAD /a/x", "a -"],
  ["OPTIONS /b/anything", "b /* /anything {*=anything}"],
  ["DELETE /b/7", "b /{id}/ /7 {id=7}"],
  ["/nowhere/at/all", "root -"],
  // A marker that is not where it belongs is text of the path
  ["/a/x;rev=2", "a -"],
])("%s → %s", (url, expected) => {
  expect(found(plain, url)).toBe(expected);
});

test("without a root API nothing answers elsewhere", () => {
  expect(found(snapshot([{ path: "a" }]), "/b")).toBe("-");
  expect(found(snapshot([]), "/")).toBe("-");
});

test("falling through to a shorter path is a switch", () => {
  const apis: ApiFields[] = [
    { path: "a/b", operations: ["GET /x"] },
    { path: "a", operations: ["GET /b/y"] },
  ];
  expect(found(snapshot(apis), "/a/b/y")).toBe("a-b -");
  expect(found(snapshot(apis, { options: { fallThrough: true } }), "/a/b/y")).toBe("a /b/y /b/y");
});

// ── Revisions ─────────────────────────────────────────────────────────────────────────────────────────────────────

const revisions = snapshot([
  { id: "a", path: "a", operations: ["GET /x"] },
  { id: "a;rev=2", path: "a", revision: "2", isCurrentRevision: false, operations: ["GET /x", "GET /new"] },
  {
    id: "a;rev=3",
    path: "a",
    revision: "3",
    isCurrentRevision: false,
    isOnline: false,
    operations: ["GET /x"],
  },
  { id: "r", path: "", operations: ["GET /x"] },
  { id: "r;rev=2", path: "", revision: "2", isCurrentRevision: false, operations: ["GET /x"] },
]);

test.each([
  ["/a/x", "a /x /x"],
  ["/a/new", "a -"],
  ["/a;rev=1/x", "a /x /x"],
  ["/a;rev=2/x", "a;rev=2 /x /x"],
  ["/a;REV=2/new", "a;rev=2 /new /new"],
  ["/a;rev=2", "a;rev=2 -"],
  ["/a;rev=3/x", "-"],
  ["/a;rev=9/x", "-"],
  ["/a;rev=/x", "r -"],
  ["/;rev=2/x", "r;rev=2 /x /x"],
  ["/x", "r /x /x"],
])("revision: %s → %s", (url, expected) => {
  expect(found(revisions, url)).toBe(expected);
});

// ── Versions ──────────────────────────────────────────────────────────────────────────────────────────────────────

function versions(scheme: "Segment" | "Query" | "Header", withOriginal: boolean): Snapshot {
  const versionSet = {
    id: "s",
    scheme,
    parameter: scheme === "Query" ? "v" : scheme === "Header" ? "X-V" : "",
  };
  const common = { path: "o", operations: ["GET /x", "GET /{any}"] };
  return snapshot([
    ...(withOriginal ? [{ ...common, id: "original", versionSet }] : []),
    { ...common, id: "v1", version: "v1", versionSet },
    { ...common, id: "v2", version: "v2", versionSet },
    { ...common, id: "v2;rev=3", version: "v2", revision: "3", isCurrentRevision: false, versionSet },
  ]);
}

test.each<["Segment" | "Query" | "Header", boolean, string, string, string?]>([
  ["Segment", true, "/o/v1/x", "v1 /x /x"],
  ["Segment", true, "/o/V2/x", "v2 /x /x"],
  ["Segment", true, "/o/x", "original /x /x"],
  ["Segment", true, "/o/v9", "original /{any} /v9 {any=v9}"],
  ["Segment", false, "/o/x", "-"],
  ["Segment", false, "/o/v2;rev=3/x", "v2;rev=3 /x /x"],
  ["Segment", false, "/o;rev=3/v2/x", "-"],
  ["Query", true, "/o/x?v=v1", "v1 /x /x"],
  ["Query", true, "/o/x?V=V2", "v2 /x /x"],
  ["Query", true, "/o/x", "original /x /x"],
  ["Query", true, "/o/x?v=", "original /x /x"],
  ["Query", true, "/o/x?v=v9", "-"],
  ["Query", false, "/o/x", "-"],
  ["Query", false, "/o;rev=3/x?v=v2", "v2;rev=3 /x /x"],
  ["Header", true, "/o/x", "v1 /x /x", "v1"],
  ["Header", true, "/o/x", "v2 /x /x", "V2"],
  ["Header", true, "/o/x", "original /x /x"],
  ["Header", true, "/o/x", "-", "v9"],
  // §11: 14
  ["Header", false, "/o/x", "-"],
])("%s versioning, original %s: %s → %s", (scheme, withOriginal, url, expected, header) => {
  expect(
    found(versions(scheme, withOriginal), url, { headers: header === undefined ? [] : ["x-v", header] }),
  ).toBe(expected);
});

// ── Types and protocols ───────────────────────────────────────────────────────────────────────────────────────────

const upgrade: RequestFields = { upgrade: true, headers: ["Connection", "Upgrade", "Upgrade", "WebSocket"] };

test("upgrades go to WebSocket APIs and plain requests do not, on one path or on nested ones", () => {
  const same = snapshot([
    { id: "http", path: "a", operations: ["GET /x"] },
    { id: "ws", path: "a", type: "websocket", operations: ["GET /{*rest}"] },
  ]);
  expect(found(same, "/a/x")).toBe("http /x /x");
  expect(found(same, "/a/x", upgrade)).toBe("ws /{*rest} /x {rest=x}");
  const nested = snapshot([
    { id: "http", path: "a", operations: ["GET /{*rest}"] },
    { id: "ws", path: "a/realtime", type: "websocket", operations: ["GET /{*rest}"] },
  ]);
  expect(found(nested, "/a/realtime")).toBe("http /{*rest} /realtime {rest=realtime}");
  expect(found(nested, "/a/realtime", upgrade)).toBe("ws /{*rest}  {rest=}");
  expect(found(nested, "/a", upgrade)).toBe("-");
  const other: RequestFields = { upgrade: true, headers: ["Connection", "Upgrade", "Upgrade", "h2c"] };
  expect(found(nested, "/a/realtime", other)).toBe("http /{*rest} /realtime {rest=realtime}");
});

test("protocols that are not listed do not match, unless they are ignored", () => {
  const apis: ApiFields[] = [{ path: "a", protocols: ["https"], operations: ["GET /x"] }];
  const strict = snapshot(apis, { options: { ignoreProtocol: false } });
  expect(found(strict, "/a/x")).toBe("-");
  expect(found(strict, "/a/x", { encrypted: true })).toBe("a /x /x");
  expect(found(snapshot(apis), "/a/x")).toBe("a /x /x");
});

// ── Preflights ────────────────────────────────────────────────────────────────────────────────────────────────────

const apiCors = stepOf(() => undefined, { element: "cors", path: "api" });
const operationCors = stepOf(() => undefined, { element: "cors", path: "operation" });

test.each<[string, readonly string[], string | null]>([
  ["OPTIONS /c/x", ["Origin", "https://a", "Access-Control-Request-Method", "GET"], "operation"],
  ["OPTIONS /c/x", ["Origin", "https://a", "Access-Control-Request-Method", "get"], "operation"],
  ["OPTIONS /c/x", ["Origin", "https://a", "Access-Control-Request-Method", "PUT"], "api"],
  ["OPTIONS /c/y", ["Origin", "https://a", "Access-Control-Request-Method", "GET"], "api"],
  ["OPTIONS /c/x", ["Origin", "https://a"], null],
  ["OPTIONS /c/x", ["Access-Control-Request-Method", "GET"], null],
  ["GET /c/y", ["Origin", "https://a", "Access-Control-Request-Method", "GET"], null],
  ["OPTIONS /none/x", ["Origin", "https://a", "Access-Control-Request-Method", "GET"], null],
])("preflight %s with %j", (url, headers, expected) => {
  const config = snapshot([
    { path: "c", cors: [apiCors], operations: [{ template: "/x", cors: [operationCors] }] },
    { path: "none", operations: ["GET /x"] },
  ]);
  const [method, target] = url.split(" ") as [string, string];
  const exchange = exchangeOf({ method, target, headers }, config);
  const match = route(config, exchange);
  if (match.kind !== "none") throw new Error("it matched");
  expect(preflightSteps(config, exchange, match)?.[0]?.site.path ?? null).toBe(expected);
});

test("an open product's cors is in scope of a preflight", () => {
  const productCors = stepOf(() => undefined, { element: "cors", path: "product" });
  const open = productOf("open", ["c"], { subscriptionRequired: false });
  const operation = { template: "/x", productCors: new Map([["open", [productCors]]]) };
  const config = snapshot([{ path: "c", openProduct: open, operations: [operation] }]);
  const headers = ["Origin", "https://a", "Access-Control-Request-Method", "GET"];
  const exchange = exchangeOf({ method: "OPTIONS", target: "/c/x", headers }, config);
  const match = route(config, exchange);
  if (match.kind !== "none") throw new Error("it matched");
  expect(preflightSteps(config, exchange, match)).toEqual([productCors]);
});
