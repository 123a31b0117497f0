import { expect, test } from "vitest";
import type { Scope } from "../../compiler/policy.ts";
import {
  type TestExchange,
  backendOf,
  exchangeOf,
  mistakesOf,
  policyStep,
  snapshotOf,
} from "../../gateway/testing.ts";
import { parseTarget } from "../../gateway/url.ts";
import { setBackendService } from "./policy.ts";

const one = backendOf("one", "https://one.example/base");
const two = backendOf("two", "https://two.example");
const pool = backendOf("pool", "", {
  type: "Pool",
  pool: [
    { backend: one, priority: 1, weight: 1 },
    { backend: two, priority: 1, weight: 1 },
  ],
});
const empty = backendOf("empty", "", { type: "Pool" });

function exchange(): TestExchange {
  const made = exchangeOf({ target: "/op?q=1" }, snapshotOf({ backends: [one, two, pool, empty] }));
  made.request.setTarget(parseTarget("https://api.example/v1")!);
  return made;
}

function run(
  on: TestExchange,
  attributes: Readonly<Record<string, unknown>>,
  scope: Scope = "api",
): TestExchange {
  policyStep(setBackendService, { attributes }, { scope }).run(on, null);
  return on;
}

function url({ request }: TestExchange): string {
  const { scheme, host, path, queryString } = request.url;
  return `${scheme}://${host}${path}${queryString}`;
}

test.each<[Readonly<Record<string, unknown>>, string, string | null]>([
  [{ "base-url": "http://h/api/8.2/" }, "http://h/api/8.2/op?q=1", null],
  [{ "base-url": () => "http://h" }, "http://h/op?q=1", null],
  [{ "base-url": "http://h/?k=1&q=0" }, "http://h/op?k=1&q=1", null],
  [{ "backend-id": "one" }, "https://one.example/base/op?q=1", "one"],
  [{ "backend-id": "ONE" }, "https://one.example/base/op?q=1", "one"],
  [{ "backend-id": () => "/backends/two" }, "https://two.example/op?q=1", "two"],
  [{ "backend-id": "pool" }, "https://one.example/base/op?q=1", "pool"],
])("%o", (attributes, expected, backend) => {
  const made = run(exchange(), attributes);
  expect(url(made)).toBe(expected);
  expect(made.backend?.id ?? null).toBe(backend);
});

/** Within one document the last wins; a wider scope's backend-id is undone only by another one. */
test.each<[(readonly [Scope, Readonly<Record<string, unknown>>])[], string]>([
  [
    [
      ["api", { "backend-id": "one" }],
      ["api", { "base-url": "http://h" }],
    ],
    "http://h/op?q=1",
  ],
  [
    [
      ["global", { "backend-id": "one" }],
      ["api", { "base-url": "http://h" }],
    ],
    "https://one.example/base/op?q=1",
  ],
  [
    [
      ["product", { "backend-id": "one" }],
      ["operation", { "base-url": "http://h" }],
    ],
    "https://one.example/base/op?q=1",
  ],
  [
    [
      ["global", { "backend-id": "one" }],
      ["api", { "backend-id": "two" }],
    ],
    "https://two.example/op?q=1",
  ],
  [
    [
      ["global", { "base-url": "http://g" }],
      ["api", { "base-url": "http://h" }],
    ],
    "http://h/op?q=1",
  ],
  [
    [
      ["operation", { "backend-id": "one" }],
      ["global", { "base-url": "http://h" }],
    ],
    "http://h/op?q=1",
  ],
  [
    [
      ["global", { "backend-id": "one" }],
      ["global", { "base-url": "http://g" }],
      ["api", { "base-url": "http://h" }],
    ],
    "http://h/op?q=1",
  ],
])("%j", (steps, expected) => {
  const made = exchange();
  for (const [scope, attributes] of steps) run(made, attributes, scope);
  expect(url(made)).toBe(expected);
});

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ "backend-id": () => "none" }, 'There is no backend "none".'],
  [{ "backend-id": () => "empty" }, 'The backend pool "empty" has no members.'],
  [{ "base-url": () => "not a url" }, '"not a url" is not an absolute http or https URL.'],
  [{ "base-url": () => "" }, '"" is not an absolute http or https URL.'],
])("%o fails", (attributes, message) => {
  expect(() => run(exchange(), attributes)).toThrow(
    expect.objectContaining({ source: "set-backend-service", status: 500, message }),
  );
});

test.each<[Readonly<Record<string, unknown>>, readonly string[]]>([
  [{ "backend-id": "one" }, []],
  [{}, ["one of base-url and backend-id is required"]],
  [{ "base-url": "http://h", "backend-id": "one" }, ["base-url and backend-id cannot stand together"]],
  [{ "base-url": "/relative" }, ['"/relative" is not an absolute http or https URL']],
])("mistakes in %o", (attributes, expected) => {
  expect(mistakesOf(setBackendService, { attributes })).toEqual(expected);
});
