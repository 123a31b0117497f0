/**
 * A change rebuilds only what it touches. Whatever is edited, in whatever order, what comes out must be what loading and
 * building from scratch makes of the same folder: the same resources, the same problems, the same answers.
 */
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createGateway } from "../gateway/listener.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { incomingOf, REQUEST_ID, servicesOf } from "../gateway/testing.ts";
import * as policies from "../policies/index.ts";
import { info, told, withFolder, writeFiles, type Files } from "../store/file/folder.fixture.ts";
import { memoryKeyStore } from "../store/file/keys.ts";
import { FolderLoader, type LoadedFolder } from "../store/file/load.ts";
import { SnapshotBuilder } from "./build.ts";

const catalogue = Object.values(policies);

/** Small, seeded, good enough (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const APIS = ["a0", "a1", "a2", "a0;rev=2"];
const OPERATIONS = ["o0", "o1", "o2"];
const KEYS = ["", "key-0", "key-1", "key-2", "second-0"];

/** What policies can show of what they were built from. */
const PIECES = [
  `<set-header name="n" exists-action="append"><value>{{n0}}</value></set-header>`,
  `<set-header name="n" exists-action="append"><value>@("{{n1}}" + context.Operation?.UrlTemplate)</value></set-header>`,
  `<include-fragment fragment-id="f0" />`,
  `<include-fragment fragment-id="f1" />`,
  `<set-backend-service backend-id="b0" />`,
  `<validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="prevent" />`,
  `<mock-response status-code="200" content-type="application/json" />`,
  `<set-variable name="s" value="@(context.Subscription?.Name + context.Product?.Name)" />`,
];

/** Ends with an answer that tells all that was gathered on the way. */
const ANSWER = `<return-response><set-status code="200" reason="OK" /><set-body>@(string.Join("|",
  context.Api?.Name, context.Api?.ServiceUrl?.Host, context.Operation?.Name, context.Product?.Name,
  context.Product?.Apis.Count(), context.Subscription?.Name, context.Variables.GetValueOrDefault<string>("s", ""),
  context.Request.Headers.GetValueOrDefault("n", "")))</set-body></return-response>`;

function specification(operations: readonly string[], example: string): string {
  const paths = operations.map((name) => [
    `/${name}/{id}`,
    {
      get: {
        operationId: name,
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string", enum: ["1", example] } },
          { name: "q", in: "query", schema: { $ref: "#/components/schemas/Q" } },
        ],
        responses: {
          200: { description: "", content: { "application/json": { schema: { type: "string", example } } } },
        },
      },
    },
  ]);
  return JSON.stringify({
    openapi: "3.0.1",
    info: { title: "Described", version: "1" },
    components: { schemas: { Q: { type: "string", maxLength: example.length } } },
    paths: Object.fromEntries(paths),
  });
}

class Editor {
  readonly #random: (below: number) => number;
  #step = 0;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#random(list.length)]!;
  }

  #policy(answer: boolean): string {
    const pieces = Array.from({ length: this.#random(3) }, () => this.#one(PIECES));
    if (!answer)
      pieces.push(
        `<set-header name="n" exists-action="append"><value>step ${this.#step}</value></set-header>`,
      );
    const inbound = [this.#one(["<base />", "<base />", ""]), ...pieces, answer ? ANSWER : ""].join("");
    const broken = this.#step > 0 && this.#random(25) === 0 ? "<nonsense />" : "";
    return `<policies><inbound>${inbound}${broken}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
  }

  /** Whether it goes on from mistakes. */
  perseveres(): boolean {
    return this.#random(6) === 0;
  }

  start(): Files {
    return {
      "policy.xml": `<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>`,
      "namedValues/n0/namedValueInformation.json": info({ displayName: "n0", value: "zero" }),
      "namedValues/n1/namedValueInformation.json": info({ displayName: "n1", value: "one" }),
      "policyFragments/f0/policy.xml": `<fragment><set-variable name="s" value="{{n0}}" /></fragment>`,
      "policyFragments/f1/policy.xml": `<fragment><include-fragment fragment-id="f0" /></fragment>`,
      "backends/b0/backendInformation.json": info({ url: "http://b0.example", protocol: "http" }),
      "apis/a0/apiInformation.json": info({
        path: "a0",
        subscriptionRequired: true,
        serviceUrl: "http://{{n0}}.example",
      }),
      "apis/a0/policy.xml": this.#policy(true),
      "apis/a1/apiInformation.json": info({ path: "a1", subscriptionRequired: false }),
      "apis/a1/specification.json": specification(["o0", "o1"], "first"),
      "apis/a1/policy.xml": this.#policy(true),
      "products/p0/productInformation.json": info({ displayName: "P0", state: "published" }),
      "products/p0/apis.json": [{ name: "a0" }],
      "products/p0/policy.xml": this.#policy(false),
      "subscriptions/s0/subscriptionInformation.json": info({
        scope: "/apis/a0",
        primaryKey: "key-0",
        secondaryKey: "second-0",
      }),
      "subscriptions/s1/subscriptionInformation.json": info({
        scope: "/products/p0",
        primaryKey: "key-1",
        secondaryKey: "second-1",
      }),
    };
  }

  /** A file and its new content; null: gone. */
  next(): readonly [string, unknown] {
    this.#step++;
    const api = `apis/${this.#one(APIS)}`;
    const operation = `${api}/operations/${this.#one(OPERATIONS)}`;
    const n = this.#random(4);
    const edits: readonly (() => readonly [string, unknown])[] = [
      () => [
        this.#one(["policy.xml", `${api}/policy.xml`, `${operation}/policy.xml`]),
        this.#policy(this.#random(3) > 0),
      ],
      () => [`${operation}/policy.xml`, this.#policy(true)],
      () => [
        this.#one([`${api}/policy.xml`, `${operation}/policy.xml`, `products/p${n % 2}/policy.xml`]),
        null,
      ],
      () => [`products/p${n % 2}/policy.xml`, this.#policy(false)],
      () => [
        `namedValues/n${n % 2}/namedValueInformation.json`,
        info({ displayName: `n${n % 2}`, value: `v${this.#step}`, secret: n > 1 }),
      ],
      () => [
        `policyFragments/f${n % 2}/policy.xml`,
        `<fragment>${this.#one(PIECES.slice(0, n % 2 === 0 ? 2 : 3))}</fragment>`,
      ],
      () => [
        `${operation}/operationInformation.json`,
        info({
          displayName: `O${this.#step}`,
          method: this.#one(["GET", "GET", "POST"]),
          urlTemplate: this.#one([`/o${n}/{id}`, `/o${n}`, "/{broken"]),
        }),
      ],
      () => [operation, null],
      () => [
        `${api}/apiInformation.json`,
        info({
          displayName: `A${this.#step}`,
          path: `a${n}`,
          subscriptionRequired: n > 1,
          serviceUrl: this.#one(["http://x.example", "http://{{n1}}.example"]),
          isCurrent: api === "apis/a0",
        }),
      ],
      () => [`apis/${this.#one(["a2", "a0;rev=2"])}`, null],
      () => [
        `apis/a${n % 3}/specification.json`,
        specification(OPERATIONS.slice(0, n), `example ${this.#step}`),
      ],
      () => [
        `products/p${n % 2}/productInformation.json`,
        info({ displayName: `P${this.#step}`, state: "published", subscriptionRequired: n > 0 }),
      ],
      () => [`products/p${n % 2}/apis.json`, ["a0", "a1", "a2"].slice(0, n).map((name) => ({ name }))],
      () => [
        `subscriptions/s${n}/subscriptionInformation.json`,
        info({
          displayName: `S${this.#step}`,
          scope: this.#one(["/apis/a0", "/apis/a1", "/products/p0", "/apis"]),
          state: this.#one(["active", "active", "suspended"]),
          primaryKey: `key-${n}`,
          secondaryKey: `second-${n}`,
        }),
      ],
      () => [`subscriptions/s${n}`, null],
      () => [
        `backends/b0/backendInformation.json`,
        this.#one([null, info({ url: `http://b${this.#step}.example`, protocol: "http" })]),
      ],
      () => [`${operation}/operationInformation.json`, "{ broken"],
    ];
    return this.#one(edits)();
  }
}

async function answers(snapshot: Snapshot): Promise<string[]> {
  const found: string[] = [];
  for (const path of ["a0", "a1", "a2", "a3", "a0;rev=2"])
    for (const rest of ["/o0", "/o1/1", "/o2/2?q=long"])
      for (const method of ["GET", "POST"])
        for (const key of KEYS) {
          const target = `/${path}${rest}`;
          const { status, body } = await ask(snapshot, method, target, key);
          found.push(`${method} ${target} ${key}: ${status} ${body}`);
        }
  return found;
}

async function ask(
  snapshot: Snapshot,
  method: string,
  target: string,
  key: string,
): Promise<{ status: number; body: string }> {
  const gateway = createGateway({
    services,
    newRequestId: () => REQUEST_ID,
    onDone: () => {},
    health: () => false,
  });
  gateway.swap(snapshot);
  const headers = key === "" ? [] : ["Ocp-Apim-Subscription-Key", key];
  const { reply, ...incoming } = incomingOf({ method, target, headers });
  await new Promise<void>((resolve) => {
    reply.onFinish(() => resolve());
    gateway.onRequest({ ...incoming, reply });
  });
  return reply;
}

const services = servicesOf();

function described({ resources, problems }: LoadedFolder): unknown {
  return {
    problems: told(problems),
    version: resources.version,
    resources: Array.from(resources.all(), (resource) => ({
      ...resource,
      at: resources.locate(resource.id, ["displayName"]),
      siblings: resources.childrenOf(resource.id, "operations").map(({ name }) => name),
    })),
  };
}

test.each([1, 2, 3])("random edits, seed %d: what is rebuilt is what would be built", async (seed) => {
  const editor = new Editor(seed);
  await withFolder(editor.start(), async (folder) => {
    const keys = memoryKeyStore();
    const loader = new FolderLoader(folder, { keys });
    const builder = new SnapshotBuilder(catalogue);
    const saved = `${folder}-saved`;
    let good = 0;
    for (let step = 0; step < 25; step++) {
      const loaded = await loader.load();
      const built = builder.build(loaded.resources, step);
      const fresh = await new FolderLoader(folder, { keys }).load();
      const whole = new SnapshotBuilder(catalogue).build(fresh.resources, step);
      expect(described(loaded)).toEqual(described(fresh));
      expect(told(built.problems)).toEqual(told(whole.problems));
      expect(built.snapshot === null).toBe(whole.snapshot === null);
      if (built.snapshot !== null && whole.snapshot !== null) {
        good++;
        expect(await answers(built.snapshot)).toEqual(await answers(whole.snapshot));
      }
      // A folder with mistakes mostly goes back to what it was, every file of it written anew.
      if (built.snapshot !== null) {
        await rm(saved, { recursive: true, force: true });
        await cp(folder, saved, { recursive: true });
      } else if (!editor.perseveres()) {
        await rm(folder, { recursive: true });
        await cp(saved, folder, { recursive: true });
      }
      const [file, content] = editor.next();
      // Of another size than before: two writes may fall into one tick of the file system's clock.
      const text = typeof content === "string" ? content : JSON.stringify(content);
      if (content === null) await rm(join(folder, file), { recursive: true, force: true });
      else await writeFiles(folder, { [file]: text + " ".repeat(1 + step) });
    }
    await rm(saved, { recursive: true, force: true });
    expect(good).toBeGreaterThan(8);
  });
});

const SHOWN = `<policies><inbound><base />
  <set-header name="n" exists-action="append"><value>{{n0}}</value></set-header><include-fragment fragment-id="f0" />
  <validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore" />${ANSWER}
  </inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const AROUND = (inbound: string): string =>
  `<policies><inbound><base />${inbound}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const HEADER = (value: string): string =>
  AROUND(`<set-header name="n" exists-action="append"><value>${value}</value></set-header>`);
const OPERATION = info({
  displayName: "O0",
  method: "GET",
  urlTemplate: "/o0",
  request: { queryParameters: [{ name: "q", type: "string", schemaId: "s0", typeName: "Q" }] },
});
const SCHEMA = (maxLength: number): unknown =>
  info({
    contentType: "application/vnd.oai.openapi.components+json",
    document: { components: { schemas: { Q: { type: "string", maxLength } } } },
  });
const API = info({ displayName: "A0", path: "a0", subscriptionRequired: false });

const BEFORE: Files = {
  "namedValues/n0/namedValueInformation.json": info({ displayName: "n0", value: "zero" }),
  "policyFragments/f0/policy.xml": `<fragment><set-variable name="s" value="before" /></fragment>`,
  "apis/a0/apiInformation.json": API,
  "apis/a0/schemas/s0/apiSchemaInformation.json": SCHEMA(5),
  "apis/a0/operations/o0/operationInformation.json": OPERATION,
  "apis/a0/operations/o0/policy.xml": SHOWN,
  "apis/a1/apiInformation.json": info({ path: "a1", subscriptionRequired: false }),
  "apis/a1/operations/o0/operationInformation.json": info({ method: "GET", urlTemplate: "/o0" }),
  "products/p0/productInformation.json": info({ displayName: "P0", state: "published" }),
  "products/p0/apis.json": [{ name: "a0" }],
  "products/p0/policy.xml": HEADER("product"),
  "subscriptions/s1/subscriptionInformation.json": info({
    displayName: "S1",
    scope: "/products/p0",
    primaryKey: "key-1",
    secondaryKey: "second-1",
  }),
};

test.each<[string, string, unknown, string, string]>([
  ["nothing", "README.md", "", "200 A0||O0|P0|1|S1|before|product,zero", "the same"],
  [
    "a named value",
    "namedValues/n0/namedValueInformation.json",
    info({ displayName: "n0", value: "one" }),
    "200 A0||O0|P0|1|S1|before|product,one",
    "rebuilt",
  ],
  [
    "a fragment",
    "policyFragments/f0/policy.xml",
    `<fragment><set-variable name="s" value="after" /></fragment>`,
    "200 A0||O0|P0|1|S1|after|product,zero",
    "rebuilt",
  ],
  [
    "the global policy",
    "policy.xml",
    `${HEADER("all").replaceAll("<base />", "")}`,
    "200 A0||O0|P0|1|S1|before|all,product,zero",
    "rebuilt",
  ],
  [
    "the API's policy",
    "apis/a0/policy.xml",
    HEADER("api"),
    "200 A0||O0|P0|1|S1|before|product,api,zero",
    "rebuilt",
  ],
  [
    "the product's policy",
    "products/p0/policy.xml",
    HEADER("changed"),
    "200 A0||O0|P0|1|S1|before|changed,zero",
    "rebuilt",
  ],
  [
    "what the product holds",
    "products/p0/apis.json",
    [{ name: "a0" }, { name: "a1" }],
    "200 A0||O0|P0|2|S1|before|product,zero",
    "the same",
  ],
  [
    "the product's name",
    "products/p0/productInformation.json",
    info({ displayName: "P1", state: "published" }),
    "200 A0||O0|P1|1|S1|before|product,zero",
    "the same",
  ],
  [
    "the API's name",
    "apis/a0/apiInformation.json",
    info({ displayName: "A1", path: "a0", subscriptionRequired: false }),
    "200 A1||O0|P0|1|S1|before|product,zero",
    "rebuilt",
  ],
  ["a schema of the API", "apis/a0/schemas/s0/apiSchemaInformation.json", SCHEMA(2), "400", "rebuilt"],
  [
    "the subscription's name",
    "subscriptions/s1/subscriptionInformation.json",
    info({ displayName: "S2", scope: "/products/p0", primaryKey: "key-1", secondaryKey: "second-1" }),
    "200 A0||O0|P0|1|S2|before|product,zero",
    "the same",
  ],
  [
    "another API",
    "apis/a1/policy.xml",
    HEADER("other"),
    "200 A0||O0|P0|1|S1|before|product,zero",
    "the same",
  ],
])("after a change of %s", async (_what, file, content, answer, operation) => {
  await withFolder(BEFORE, async (folder) => {
    const loader = new FolderLoader(folder);
    const builder = new SnapshotBuilder(catalogue);
    const before = builder.build((await loader.load()).resources, 1).snapshot!;
    expect(await answerOf(before)).toBe("200 A0||O0|P0|1|S1|before|product,zero");
    await rm(join(folder, file), { force: true });
    await writeFiles(folder, { [file]: content });
    const after = builder.build((await loader.load()).resources, 2).snapshot!;
    expect(await answerOf(after)).toMatch(answer.length === 3 ? new RegExp(`^${answer}`) : answer);
    expect(await answerOf(before)).toBe("200 A0||O0|P0|1|S1|before|product,zero");
    const [first, second] = [before, after].map(
      ({ apis }) => apis.all.find(({ id }) => id === "a0")!.operations[0],
    );
    expect(first === second ? "the same" : "rebuilt").toBe(operation);
  });
});

async function answerOf(snapshot: Snapshot): Promise<string> {
  const { status, body } = await ask(snapshot, "GET", "/a0/o0?q=long", "key-1");
  return `${status} ${body}`;
}
