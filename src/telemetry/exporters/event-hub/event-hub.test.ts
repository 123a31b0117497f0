import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../../gateway/testing.ts";
import { createClient } from "../../../transport/node/index.ts";
import type { EventHubLogger, HubEvent } from "../../logger.ts";
import { parsePlace } from "../../sas.ts";
import { type StandIn, startStandIn } from "../../service-bus.fixture.ts";
import { asciiJson } from "../../../base/ascii-json.ts";
import { createEventHubExporter } from "./event-hub.ts";

const clock = new FakeClock();
const client = createClient();
let hub: StandIn;
beforeAll(async () => {
  hub = await startStandIn({ send: "the key+/=" }, () => clock.now());
});
beforeEach(() => {
  hub.received.length = 0;
  hub.refusals.length = 0;
  hub.answer = null;
});
afterAll(async () => {
  await client.close();
  await hub.close();
});

function exporterTo(
  credential: EventHubLogger["credential"] = { kind: "key", name: "send", key: "the key+/=" },
) {
  const said: unknown[] = [];
  const logger: EventHubLogger = {
    kind: "event-hub",
    id: "l",
    place: parsePlace(hub.url)!,
    hub: "My-Hub",
    credential,
    key: "k",
  };
  const azureToken = (resource: string, clientId: string | null): string =>
    `token for ${resource} as ${clientId}`;
  const exporter = createEventHubExporter(logger, {
    client,
    clock,
    random: () => 0.5,
    report: (record) => void said.push(record),
    azureToken,
  });
  return { exporter, said };
}

const event = (body: string, partition: Partial<HubEvent> = {}): HubEvent => ({
  body,
  sizeBytes: Buffer.byteLength(body),
  partitionId: null,
  partitionKey: null,
  ...partition,
});

test("one event travels as it is, those that came meanwhile as a batch", async () => {
  const { exporter } = exporterTo();
  for (const body of ["first", "second ☃", 'third "quoted"']) exporter.send(event(body));
  await exporter.flush();
  expect(hub.received.map(({ path, bodies, contentType }) => [path, bodies, contentType])).toEqual([
    ["/My-Hub/messages", ["first"], "application/atom+xml;type=entry;charset=utf-8"],
    ["/My-Hub/messages", ["second ☃", 'third "quoted"'], "application/vnd.microsoft.servicebus.json"],
  ]);
  expect([exporter.state.added, exporter.state.sent, exporter.state.dropped, exporter.state.waiting]).toEqual(
    [3, 3, 0, 0],
  );
});

test("partitions are not mixed", async () => {
  const { exporter } = exporterTo();
  exporter.send(event("0"));
  exporter.send(event("a", { partitionKey: "é" }));
  exporter.send(event("b", { partitionKey: "é" }));
  exporter.send(event("c", { partitionId: "3" }));
  exporter.send(event("d"));
  await exporter.flush();
  expect(hub.received.map(({ path, bodies, brokerProperties }) => [path, bodies, brokerProperties])).toEqual([
    ["/My-Hub/messages", ["0"], null],
    ["/My-Hub/messages", ["a", "b"], { PartitionKey: "é" }],
    ["/My-Hub/partitions/3/messages", ["c"], null],
    ["/My-Hub/messages", ["d"], null],
  ]);
});

test("no request is larger than the hub takes, even when escapes make it grow", async () => {
  const { exporter } = exporterTo();
  for (let i = 0; i < 20; i++) exporter.send(event('\u0001é"'.repeat(15_000)));
  exporter.send(event("x".repeat(200 * 1024)));
  exporter.send(event("x".repeat(200 * 1024)));
  await exporter.flush();
  expect(hub.refusals).toEqual([]);
  expect(exporter.state.sent).toBe(22);
});

test("a wrong key is tried again later and does not lose the event", async () => {
  const { exporter, said } = exporterTo({ kind: "key", name: "send", key: "wrong" });
  exporter.send(event("a"));
  while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(hub.refusals).toEqual(["wrong signature"]);
  expect(said).toMatchObject([{ msg: "sink cannot be reached", error: "it answered 401" }]);
  expect(exporter.state.waiting).toBe(1);
  exporter.close();
  expect([exporter.state.dropped, exporter.state.waiting]).toEqual([1, 0]);
});

test.each<[StandIn["answer"], number, number]>([
  [400, 0, 1],
  [413, 0, 1],
  [500, 1, 0],
  [429, 1, 0],
  ["reset", 1, 0],
])("the hub answers %s", async (answer, waiting, dropped) => {
  hub.answer = answer;
  const { exporter, said } = exporterTo();
  exporter.send(event("a"));
  while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect([exporter.state.waiting, exporter.state.dropped]).toEqual([waiting, dropped]);
  hub.answer = null;
  await exporter.flush();
  expect(exporter.state.sent).toBe(waiting);
});

test("a hub that does not answer costs thirty seconds, not for ever", async () => {
  hub.answer = "hang";
  const { exporter, said } = exporterTo();
  exporter.send(event("a"));
  while (!clock.waits.includes(30_000)) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(30_000);
  while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(exporter.state.isFailing).toBe(true);
  hub.answer = null;
  await exporter.flush();
  expect(exporter.state.sent).toBe(1);
});

test("with an identity it brings a token", async () => {
  hub.bearer = "token for https://eventhubs.azure.net as client";
  const { exporter } = exporterTo({ kind: "identity", clientId: "client" });
  exporter.send(event("a"));
  await exporter.flush();
  expect(hub.received).toHaveLength(1);
});

test("header values stay ASCII", () => {
  expect(asciiJson({ PartitionKey: "é☃\u007f\n" })).toBe('{"PartitionKey":"\\u00e9\\u2603\\u007f\\n"}');
});
