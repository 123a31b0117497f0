/**
 * What a pipeline of ten common policies adds to a request, in µs of this process: subscription key, cors, set-header × 3,
 * choose, rate-limit-by-key, cache-lookup-value, set-variable × 2. Target: ≤ 25.
 *
 *     node bench/ten-policies.ts
 *
 * Whole exchanges without sockets, the same with and without the policies, in turn.
 */
import type { Resource } from "../src/contract/resource.ts";
import { configureBudget } from "../src/compiler/runtime/budget.ts";
import { createGateway } from "../src/gateway/listener.ts";
import { incomingOf, servicesOf } from "../src/gateway/testing.ts";
import { SnapshotBuilder } from "../src/model/build.ts";
import * as policies from "../src/policies/index.ts";
import { builtIns } from "../src/store/built-in.ts";
import { ResourceSet } from "../src/store/resource-set.ts";
import { show, spreadOf } from "./harness.ts";

const ROUNDS = 15;
const PER_ROUND = 20_000;

const TEN = `
  <cors><allowed-origins><origin>https://app.example</origin></allowed-origins></cors>
  <set-header name="X-One" exists-action="override"><value>one</value></set-header>
  <set-header name="X-Two" exists-action="override"><value>@(context.RequestId.ToString())</value></set-header>
  <set-header name="X-Three" exists-action="delete" />
  <choose>
    <when condition="@(context.Request.Method == "POST")"><set-variable name="kind" value="write" /></when>
    <otherwise><set-variable name="kind" value="read" /></otherwise>
  </choose>
  <rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="@(context.Subscription.Id)" />
  <cache-lookup-value key="@("tenant-" + context.Subscription.Id)" variable-name="tenant" default-value="none" />
  <set-variable name="agent" value="@(context.Request.Headers.GetValueOrDefault("User-Agent", ""))" />
  <set-variable name="count" value="@(1 + 2)" />`;

configureBudget(() => performance.now());

function resource(id: string, type: string, properties: Record<string, unknown>): Resource {
  return { id, name: id.slice(id.lastIndexOf("/") + 1), type, properties };
}

/** One whole exchange, answered by the gateway itself. */
function gatewayWith(inbound: string, needsKey: boolean): () => void {
  const answer = '<return-response><set-status code="204" /></return-response>';
  const built = new SnapshotBuilder(Object.values(policies)).build(
    new ResourceSet([
      ...builtIns,
      resource("/apis/api", "apis", {
        path: "api",
        serviceUrl: "http://127.0.0.1:9",
        subscriptionRequired: needsKey,
        protocols: ["https", "http"],
      }),
      resource("/apis/api/operations/get", "apis/operations", {
        displayName: "get",
        method: "GET",
        urlTemplate: "/x",
      }),
      resource("/apis/api/policies/policy", "apis/policies", {
        value: `<policies><inbound><base />${inbound}${answer}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`,
        format: "rawxml",
      }),
      resource("/subscriptions/all", "subscriptions", {
        displayName: "all",
        scope: "/apis",
        state: "active",
        primaryKey: "key-1",
        secondaryKey: "key-2",
      }),
    ]),
    1,
  );
  if (built.snapshot === null) throw new Error(built.problems.map(({ message }) => message).join("\n"));
  const services = servicesOf();
  const gateway = createGateway({
    services,
    newRequestId: () => "00000000-0000-4000-8000-000000000001",
    onDone: () => {},
    health: () => false,
  });
  gateway.swap(built.snapshot);
  const headers = [
    "Host",
    "gateway.example",
    "User-Agent",
    "bench/1",
    "Origin",
    "https://app.example",
    "Ocp-Apim-Subscription-Key",
    "key-1",
  ];
  return () => {
    services.clock.ms += 0.02;
    const incoming = incomingOf({ target: "/api/x", headers });
    gateway.onRequest(incoming);
    if (incoming.reply.status !== 204)
      throw new Error(`answered ${incoming.reply.status}: ${incoming.reply.body}`);
  };
}

function time(run: () => void): number {
  const start = performance.now();
  for (let i = 0; i < PER_ROUND; i++) run();
  return ((performance.now() - start) * 1000) / PER_ROUND;
}

const [bare, governed] = [gatewayWith("", false), gatewayWith(TEN, true)];
time(bare);
time(governed);
const [without, added]: [number[], number[]] = [[], []];
for (let i = 0; i < ROUNDS; i++) {
  const before = time(bare);
  without.push(before);
  added.push(time(governed) - before);
}
console.log(`without policies     ${show(spreadOf(without))} µs`);
console.log(`ten policies add     ${show(spreadOf(added))} µs   (target ≤ 25)`);
