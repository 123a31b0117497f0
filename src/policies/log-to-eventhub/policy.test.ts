import { expect, test } from "vitest";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import type { HubEvent, Logger } from "../../telemetry/logger.ts";
import { parsePlace } from "../../telemetry/sas.ts";
import { logToEventhub } from "./policy.ts";

const LOGGERS: Logger[] = [
  {
    kind: "event-hub",
    id: "Hub",
    place: parsePlace("h")!,
    hub: "hub",
    credential: { kind: "identity", clientId: null },
    key: "k",
  },
  { kind: "other", id: "insights", type: "applicationInsights" },
];

function run(written: Written) {
  const events: HubEvent[] = [];
  const services = servicesOf({ loggers: { sendEvent: (_logger, event) => void events.push(event) } });
  const exchange = exchangeOf({}, snapshotOf({ loggers: LOGGERS }), services);
  expect(policyStep(logToEventhub, written).run(exchange, null)).toBeUndefined();
  return { events, logged: services.logged.map(({ error }) => error) };
}

test.each<[Written, Partial<HubEvent>]>([
  [
    { attributes: { "logger-id": "hub" }, text: "hello" },
    { body: "hello", sizeBytes: 5, partitionId: null, partitionKey: null },
  ],
  [
    { attributes: { "logger-id": "/loggers/HUB", "partition-id": "3" }, text: "é" },
    { sizeBytes: 2, partitionId: "3" },
  ],
  [
    { attributes: { "logger-id": "hub", "partition-key": () => "k" }, text: () => "x" },
    { body: "x", partitionKey: "k" },
  ],
  [
    { attributes: { "logger-id": "hub" }, text: "" },
    { body: "", sizeBytes: 0 },
  ],
])("%j", (written, event) => {
  expect(run(written)).toMatchObject({ events: [event], logged: [] });
});

test.each([
  ["x".repeat(204_801), 204_800],
  ["x".repeat(204_799) + "é", 204_799],
  ["☃".repeat(100_000), 204_798],
  ["😀".repeat(100_000), 204_800],
])("a long message is cut at a character's end", (text, sizeBytes) => {
  const [event] = run({ attributes: { "logger-id": "hub" }, text }).events;
  expect(event!.sizeBytes).toBe(sizeBytes);
  expect(Buffer.byteLength(event!.body)).toBe(sizeBytes);
  expect(text.startsWith(event!.body)).toBe(true);
});

test.each([
  ["nowhere", 'There is no logger "nowhere".'],
  ["insights", 'The logger "insights" is of type applicationInsights, not azureEventHub.'],
])("the logger %s fails nothing", (id, error) => {
  expect(run({ attributes: { "logger-id": () => id }, text: "x" })).toEqual({ events: [], logged: [error] });
});

test("partition-id and partition-key do not go together", () => {
  const attributes = { "logger-id": "hub", "partition-id": "1", "partition-key": "k" };
  expect(mistakesOf(logToEventhub, { attributes, text: "x" })).toEqual([
    "partition-id and partition-key cannot stand together",
  ]);
});
