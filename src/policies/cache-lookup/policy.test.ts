import { expect, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import type { Step } from "../../compiler/policy.ts";
import { Body } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { runPlan } from "../../gateway/pipeline.ts";
import { sendReply } from "../../gateway/reply.ts";
import {
  ChunkSource,
  type RequestFields,
  type TestServices,
  type Written,
  apiOf,
  exchangeOf,
  operationOf,
  policyStep,
  servicesOf,
  snapshotOf,
  stepOf,
  subscriptionOf,
} from "../../gateway/testing.ts";
import { cacheStore } from "../cache-store/policy.ts";
import { cacheLookup } from "./policy.ts";

const api = apiOf({ path: "a", revision: "1" });
const operation = operationOf({ id: "get", template: "/" });

interface Setting {
  readonly lookup?: Written;
  readonly store?: Record<string, unknown>;
  /** What the backend answers; called once per request that reaches it. */
  readonly backend?: (exchange: Exchange) => ResponseMessage;
  /** Steps of outbound before and after cache-store. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
  readonly services?: TestServices;
}

/** A gateway with a lookup, a store and a backend that counts its calls. */
function gateway(setting: Setting = {}) {
  const services = setting.services ?? servicesOf();
  let calls = 0;
  const lookup = policyStep(cacheLookup, {
    ...setting.lookup,
    attributes: {
      "vary-by-developer": false,
      "vary-by-developer-groups": false,
      ...setting.lookup?.attributes,
    },
  });
  const store = policyStep(
    cacheStore,
    { attributes: { duration: 60, ...setting.store } },
    { section: "outbound" },
  );
  const answer = (exchange: Exchange): void => {
    calls++;
    exchange.response = setting.backend?.(exchange) ?? ResponseOf(`answer ${calls}`);
  };
  const plan = {
    inbound: [lookup, stepOf((exchange) => void exchange.variables.set("after lookup", true))],
    backend: [stepOf(answer, { section: "backend" })],
    outbound: [...(setting.before ?? []), store, ...(setting.after ?? [])],
    onError: null,
  };
  return {
    services,
    get calls() {
      return calls;
    },
    async call(
      fields: RequestFields = {},
      prepare: (exchange: Exchange) => void = () => {},
    ): Promise<{ body: string; headers: HeaderList; exchange: Exchange; status: number }> {
      const exchange = exchangeOf({ target: "/a", ...fields }, snapshotOf(), services);
      exchange.api = api;
      exchange.operation = operation;
      prepare(exchange);
      await runPlan(exchange, plan);
      for (const { run } of exchange.takeReplyListeners() ?? []) run();
      sendReply(exchange, () => {});
      const { reply } = exchange.incoming;
      return { body: reply.body, headers: reply.headers, exchange, status: reply.status };
    },
  };
}

const ResponseOf = (body: string | null, headers: string[] = [], status = 200): ResponseMessage =>
  new ResponseMessage(
    status,
    "",
    new HeaderList([...headers]),
    body === null ? null : Body.text("response", body),
  );

test("a hit skips the rest of inbound and the backend; it is as old as it is", async () => {
  const { call, services } = gateway({
    lookup: { attributes: { "downstream-caching-type": "public" } },
    backend: () =>
      ResponseOf("first", [
        "X-Of",
        "backend",
        "Set-Cookie",
        "a=b",
        "Cache-Control",
        "max-age=5",
        "Expires",
        "soon",
      ]),
  });
  const miss = await call();
  expect(miss.headers.raw).toEqual([
    "X-Of",
    "backend",
    "Set-Cookie",
    "a=b",
    "Cache-Control",
    "public, max-age=60, must-revalidate",
    "Age",
    "0",
  ]);
  services.clock.advance(12_000);
  const hit = await call();
  expect(hit.body).toBe("first");
  expect(hit.headers.raw).toEqual([
    "X-Of",
    "backend",
    "Cache-Control",
    "public, max-age=48, must-revalidate",
    "Age",
    "12",
  ]);
  expect(hit.exchange.variables.size).toBe(0);
  services.clock.advance(48_000);
  expect((await call()).exchange.variables.size).toBe(1);
});

test.each<[Record<string, unknown>, string]>([
  [{}, "no-store, no-cache"],
  [{ "downstream-caching-type": "none" }, "no-store, no-cache"],
  [{ "downstream-caching-type": "private", "must-revalidate": false }, "private, max-age=60"],
  [{ "downstream-caching-type": () => "Public" }, "public, max-age=60, must-revalidate"],
])("downstream %j: %s", async (attributes, expected) => {
  const { call } = gateway({ lookup: { attributes } });
  expect((await call()).headers.get("cache-control")).toBe(expected);
  expect((await call()).headers.get("cache-control")).toBe(expected);
});

test("outbound goes on after the store; what stands before it acted on the stored response", async () => {
  const mark = (name: string): Step =>
    stepOf((exchange) => exchange.response!.headers.append(name, "1"), { section: "outbound" });
  const { call } = gateway({ before: [mark("Before")], after: [mark("After")] });
  expect((await call()).headers.raw.join(" ")).toBe(
    "Before 1 Cache-Control no-store, no-cache Age 0 After 1",
  );
  expect((await call()).headers.raw.join(" ")).toBe(
    "Before 1 Cache-Control no-store, no-cache Age 0 After 1",
  );
});

/** Whether the second of two requests is answered from the cache. */
async function shares(
  setting: Setting,
  first: RequestFields,
  second: RequestFields,
  prepare?: readonly ((exchange: Exchange) => void)[],
): Promise<boolean> {
  const made = gateway(setting);
  await made.call(first, prepare?.[0]);
  await made.call(second, prepare?.[1]);
  return made.calls === 1;
}

const header = (...headers: string[]): RequestFields => ({ headers });
const target = (query: string): RequestFields => ({ target: `/a${query}` });
const varyBy = (name: string): Written => ({ children: { "vary-by-header": [{ text: name }] } });
const parameters = (...names: string[]): Written => ({
  children: { "vary-by-query-parameter": names.map((text) => ({ text })) },
});

test.each<[string, Written, RequestFields, RequestFields, boolean]>([
  ["the same", {}, {}, {}, true],
  ["another path", {}, target(""), { target: "/a/b" }, false],
  ["another query", {}, target("?a=1"), target("?a=2"), false],
  [
    "the subscription key is no part of the query",
    {},
    target("?a=1&Subscription-Key=x"),
    target("?subscription-key=y&a=1"),
    true,
  ],
  ["HEAD is not cached", {}, {}, { method: "HEAD" }, false],
  ["POST is not cached", {}, { method: "POST" }, { method: "POST" }, false],
  [
    "authorised requests are not cached",
    {},
    header("Authorization", "x"),
    header("Authorization", "x"),
    false,
  ],
  ["nor answered from the cache", {}, {}, header("Authorization", "x"), false],
  [
    "unless allowed",
    { attributes: { "allow-private-response-caching": true } },
    header("Authorization", "x"),
    header("Authorization", "y"),
    true,
  ],
  ["headers do not matter", {}, header("Accept", "a"), header("Accept", "b"), true],
  ["unless named", varyBy("Accept"), header("Accept", "a"), header("accept", "b"), false],
  ["the same value", varyBy("Accept"), header("Accept", "a"), header("accept", "a"), true],
  ["absent is not empty-valued to another", varyBy("Accept"), {}, header("Accept", "a"), false],
  ["parameters that are listed", parameters("a"), target("?a=1&b=1"), target("?b=2&a=1"), true],
  ["a listed one that differs", parameters("a"), target("?a=1"), target("?a=2"), false],
  [
    "several in one, in any case and order",
    parameters("a; B"),
    target("?a=1&b=2&c=3"),
    target("?B=2&A=1"),
    false,
  ],
  ["several in one, in another order", parameters("a;b"), target("?a=1&b=2&c=3"), target("?b=2&a=1"), true],
  ["several elements", parameters("a", "b"), target("?a=1&b=2"), target("?a=1&b=3"), false],
])("%s", async (_name, lookup, first, second, expected) => {
  expect(await shares({ lookup }, first, second)).toBe(expected);
});

test.each<[string, Record<string, unknown>, [string, string[]], [string, string[]], boolean]>([
  ["users share", {}, ["ann", []], ["bob", []], true],
  ["unless by developer", { "vary-by-developer": true }, ["ann", []], ["bob", []], false],
  ["one developer", { "vary-by-developer": () => true }, ["ann", []], ["ann", []], true],
  [
    "by groups, in any order",
    { "vary-by-developer-groups": true },
    ["ann", ["a", "b"]],
    ["bob", ["b", "a"]],
    true,
  ],
  ["other groups", { "vary-by-developer-groups": true }, ["ann", ["a", "b"]], ["bob", ["a"]], false],
])("%s", async (_name, attributes, first, second, expected) => {
  const as =
    ([id, groups]: [string, string[]]) =>
    (exchange: Exchange): void => {
      const user = {
        id,
        email: "",
        firstName: "",
        lastName: "",
        note: "",
        registrationMs: 0,
        groups: groups.map((name) => ({ id: name, name })),
        identities: [],
        blocked: false,
      };
      exchange.subscription = { ...subscriptionOf(id, { kind: "all" }, { user }), key: "" };
    };
  expect(await shares({ lookup: { attributes } }, {}, {}, [as(first), as(second)])).toBe(expected);
});

test("revisions and operations are kept apart", async () => {
  const revised = (exchange: Exchange): void => void (exchange.api = apiOf({ path: "a", revision: "2" }));
  const other = (exchange: Exchange): void =>
    void (exchange.operation = operationOf({ id: "other", template: "/" }));
  expect(await shares({}, {}, {}, [() => {}, revised])).toBe(false);
  expect(await shares({}, {}, {}, [() => {}, other])).toBe(false);
});

test("a miss asks the backend for the whole response", async () => {
  let seen: string[] = [];
  const { call } = gateway({
    backend: ({ request }) => {
      seen = request.headers.names();
      return ResponseOf("x");
    },
  });
  await call(header("If-None-Match", "x", "Range", "bytes=0-1", "Cache-Control", "no-cache", "X-Mine", "1"));
  expect(seen).toEqual(["Host", "X-Mine"]);
  // Where nothing is to be stored nothing is taken away.
  await call(header("If-None-Match", "x", "Authorization", "a"));
  expect(seen).toEqual(["Host", "If-None-Match", "Authorization"]);
});

test.each<[string, Record<string, unknown>, () => ResponseMessage, boolean]>([
  ["200", {}, () => ResponseOf("x"), true],
  ["404", {}, () => ResponseOf("x", [], 404), false],
  ["404 when told to", { "cache-response": true }, () => ResponseOf("x", [], 404), true],
  ["200 when told not to", { "cache-response": () => false }, () => ResponseOf("x"), false],
  ["204, no body", { "cache-response": true }, () => ResponseOf(null, [], 204), true],
  ["a duration of 0", { duration: 0 }, () => ResponseOf("x"), false],
  ["a negative duration", { duration: () => -1 }, () => ResponseOf("x"), false],
  [
    "a body that was read to its end by an expression",
    {},
    () => {
      const response = ResponseOf("x");
      response.body!.consume();
      return response;
    },
    false,
  ],
])("stored: %s", async (_name, store, backend, expected) => {
  expect(await shares({ store, backend }, {}, {})).toBe(expected);
});

test("streams pass and are stored when they have passed whole", async () => {
  const chunks = ["one ", "two ", "three"];
  const { call } = gateway({
    backend: () =>
      new ResponseMessage(
        200,
        "",
        new HeaderList(),
        Body.streaming("response", new ChunkSource(chunks), new HeaderList()),
      ),
  });
  const miss = await call();
  expect([miss.body, miss.exchange.incoming.reply]).toMatchObject(["one two three", { streamed: true }]);
  const hit = await call();
  expect(hit.body).toBe("one two three");
  expect(hit.exchange.variables.size).toBe(0);
});

test.each<[string, ChunkSource]>([
  ["one that breaks off", new ChunkSource(["one "], { failure: { code: "x", message: "" } as never })],
  ["one that is too large", new ChunkSource(Array.from({ length: 3 }, () => new Uint8Array(1024 * 1024)))],
  ["one that says so", new ChunkSource([new Uint8Array(3 * 1024 * 1024)], { length: 3 * 1024 * 1024 })],
])("%s is not stored", async (_name, source) => {
  let turn = 0;
  const made = gateway({
    backend: () =>
      turn++ === 0
        ? new ResponseMessage(200, "", new HeaderList(), Body.streaming("response", source, new HeaderList()))
        : ResponseOf("second"),
  });
  await made.call();
  expect((await made.call()).body).toBe("second");
});

test("a later policy that reads and replaces a streamed body changes nothing in the cache", async () => {
  const replace = stepOf(
    async (exchange) => {
      await exchange.response!.body!.buffer(1000);
      exchange.response!.body = Body.text("response", "replaced");
    },
    { section: "outbound" },
  );
  const { call } = gateway({
    after: [replace],
    backend: () =>
      new ResponseMessage(
        200,
        "",
        new HeaderList(),
        Body.streaming("response", new ChunkSource(["original"]), new HeaderList()),
      ),
  });
  expect((await call()).body).toBe("replaced");
  const hit = await call();
  expect(hit.exchange.variables.size).toBe(0);
});

test("a coded body goes only to who takes the coding", async () => {
  const coded = (): ResponseMessage => {
    const headers = new HeaderList(["Content-Encoding", "gzip"]);
    return new ResponseMessage(
      200,
      "",
      headers,
      Body.streaming("response", new ChunkSource(["coded"]), headers),
    );
  };
  const hits: boolean[] = [];
  for (const accept of ["gzip", "br, gzip;q=0.5", "*", "gzip;q=0", "br", ""]) {
    const made = gateway({ backend: coded });
    await made.call(header("Accept-Encoding", "gzip"));
    const second = await made.call(header("Accept-Encoding", accept));
    expect([second.body, second.headers.get("content-encoding")]).toEqual(["coded", "gzip"]);
    hits.push(made.calls === 1);
  }
  expect(hits).toEqual([true, true, true, false, false, false]);
});

test("a cache that answers later, with nothing or with nonsense, is a miss", async () => {
  for (const reply of [
    null,
    Buffer.from("R\u0000\u0000\u0000\u0002[]"),
    Buffer.from("R"),
    Buffer.from("R\u00ff\u00ff\u00ff\u00ff"),
    new Uint8Array(),
    Buffer.from('R\u0000\u0000\u0000\u000d[9,"",[],0,0]'),
  ]) {
    const cache = { get: () => Promise.resolve(reply), set: () => {}, delete: () => {} };
    const made = gateway({ services: servicesOf({ caches: { internal: cache, external: () => null } }) });
    expect((await made.call()).body).toBe("answer 1");
  }
});

test("a store that no lookup prepared does nothing", async () => {
  const exchange = exchangeOf();
  exchange.response = ResponseOf("x");
  policyStep(cacheStore, { attributes: { duration: 60 } }, { section: "outbound" }).run(exchange, null);
  expect(exchange.response.headers.raw).toEqual([]);
});
