import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { CredentialError } from "../../gateway/identity.ts";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { readSasConnections } from "../../telemetry/sas.ts";
import { type StandIn, startStandIn } from "../../telemetry/service-bus.fixture.ts";
import { createClient } from "../../transport/node/index.ts";
import { sendServiceBusMessage } from "./policy.ts";

const client = createClient();
let bus: StandIn;
beforeAll(async () => {
  bus = await startStandIn({ send: "the key" }, () => servicesOf().clock.now());
});
beforeEach(() => {
  bus.received.length = 0;
  bus.answer = null;
  bus.bearer = null;
});
afterAll(async () => {
  await client.close();
  await bus.close();
});

async function run(written: Written, { connections = "", token = "" as string | Error } = {}) {
  const identities = {
    ...servicesOf().identities,
    azureToken: (resource: string, clientId: string | null): string => {
      if (token instanceof Error) throw token;
      return `${token}|${resource}|${clientId}`;
    },
  };
  const exchange = exchangeOf(
    {},
    snapshotOf({ options: { serviceBus: readSasConnections(connections) } }),
    servicesOf({ client, identities }),
  );
  await policyStep(sendServiceBusMessage, written).run(exchange, null);
}

const message = (attributes: Record<string, unknown>, properties: Written[] = []): Written => ({
  attributes: { namespace: bus.url, ...attributes },
  children: {
    payload: [{ text: () => "hello ☃" }],
    "message-properties": [{ children: { "message-property": properties } }],
  },
});

test("a message for a queue, with a connection string", async () => {
  const connections =
    `Endpoint=sb://elsewhere/;SharedAccessKeyName=x;SharedAccessKey=y\nEndpoint=${bus.url};SharedAccessKeyName=send;SharedAccessKey=the key`.replace(
      "the key",
      "the%20key",
    );
  // White space separates connection strings, so a key has none.
  await expect(run(message({ "queue-name": "orders" }), { connections })).rejects.toMatchObject({
    reason: "ServiceBusRequestFailed",
  });
  const other = await startStandIn({ send: "key" }, () => servicesOf().clock.now());
  const good = `Endpoint=${other.url};SharedAccessKeyName=send;SharedAccessKey=key`;
  await run(
    {
      ...message({ "queue-name": "orders/new" }, [{ attributes: { name: "Kind" }, text: () => 'a "é"' }]),
      attributes: { namespace: other.url, "queue-name": "orders/new" },
    },
    { connections: good },
  );
  expect(other.received).toEqual([
    {
      path: "/orders/new/messages",
      bodies: ["hello ☃"],
      contentType: "application/atom+xml;type=entry;charset=utf-8",
      brokerProperties: null,
      properties: { kind: '"a \\"\\u00e9\\""' },
    },
  ]);
  await other.close();
});

test("a message for a topic, with the gateway's identity", async () => {
  bus.bearer = "token|https://servicebus.azure.net|me";
  await run(message({ "topic-name": () => "news", "client-id": "me" }), { token: "token" });
  expect(bus.received.map(({ path }) => path)).toEqual(["/news/messages"]);
});

test.each<[string, Record<string, unknown>, number | null, string | Error, object]>([
  [
    "no token",
    { "queue-name": "q" },
    null,
    new CredentialError("There is none."),
    { reason: "CredentialUnavailable", message: "There is none." },
  ],
  [
    "a token it does not take",
    { "queue-name": "q" },
    null,
    "t",
    {
      reason: "ServiceBusRequestFailed",
      message: "Service Bus answered 401 to the message for q at 127.0.0.1.",
    },
  ],
  ["no such queue", { "queue-name": "q" }, 404, "t", { reason: "ServiceBusRequestFailed" }],
  [
    "a name that leads elsewhere",
    { "queue-name": () => "q/../../x" },
    null,
    "t",
    { reason: "InvalidEntity" },
  ],
  [
    "a namespace that is none",
    { "queue-name": "q", namespace: () => "a/b" },
    null,
    "t",
    { reason: "InvalidNamespace" },
  ],
  [
    "plain http elsewhere",
    { "queue-name": "q", namespace: () => "http://bus.example" },
    null,
    "t",
    { reason: "InvalidNamespace" },
  ],
  [
    "metadata",
    { "queue-name": "q", namespace: () => "169.254.169.254" },
    null,
    "t",
    { code: "address_refused" },
  ],
])("%s fails the exchange", async (_name, attributes, answer, token, failure) => {
  bus.answer = answer;
  await expect(run(message(attributes), { token })).rejects.toMatchObject({
    source: "send-service-bus-message",
    status: 500,
    ...failure,
  });
});

test.each<[Record<string, unknown>, Written[], string[]]>([
  [{}, [], ["one of queue-name and topic-name is required"]],
  [{ "queue-name": "q", "topic-name": "t" }, [], ["queue-name and topic-name cannot stand together"]],
  [{ "queue-name": "q", namespace: "a/b" }, [], ['"a/b" is not the host of a namespace']],
  [
    { "queue-name": "q" },
    [{ attributes: { name: "Authorization" } }],
    ['"Authorization" cannot be the name of a property'],
  ],
  [{ "queue-name": "q", namespace: "bus.servicebus.windows.net" }, [{ attributes: { name: "Fine-1" } }], []],
])("mistakes %j", (attributes, properties, said) => {
  expect(mistakesOf(sendServiceBusMessage, message(attributes, properties))).toEqual(said);
});
