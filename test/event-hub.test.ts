/** log-to-eventhub from a folder to the hub: credentials in named values, a hub that is down, an orderly end. */
import { afterEach, expect, it } from "vitest";
import { type StandIn, startStandIn } from "../src/telemetry/service-bus.fixture.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.close();
});

async function start(): Promise<{ hub: StandIn; gateway: TestGateway }> {
  const hub = await startStandIn({ send: "the key" }, () => Date.now());
  started.push(hub);
  const inbound =
    '<log-to-eventhub logger-id="calls">@(context.Request.OriginalUrl.Path)</log-to-eventhub><return-response />';
  const gateway = await testGateway({
    ...api("echo", undefined, ["GET /{any}"], { policy: policy({ inbound }) }),
    "loggers/calls/loggerInformation.json": {
      properties: {
        loggerType: "azureEventHub",
        credentials: { name: "calls", connectionString: "{{Logger-Credentials}}" },
      },
    },
    "namedValues/Logger-Credentials/namedValueInformation.json": {
      properties: {
        displayName: "Logger-Credentials",
        secret: true,
        value: `Endpoint=${hub.url}/;SharedAccessKeyName=send;SharedAccessKey=the key`,
      },
    },
  });
  started.push(gateway);
  return { hub, gateway };
}

async function call(gateway: TestGateway, path: string): Promise<number> {
  const answer = await fetch(gateway.url + path);
  await answer.arrayBuffer();
  return answer.status;
}

it("every call arrives at the hub, in order", async () => {
  const { hub, gateway } = await start();
  for (const path of ["/echo/a", "/echo/b", "/echo/c"]) expect(await call(gateway, path)).toBe(200);
  await gateway.drain(5_000);
  expect(hub.received.flatMap(({ bodies }) => bodies)).toEqual(["/echo/a", "/echo/b", "/echo/c"]);
  expect(hub.refusals).toEqual([]);
});

it.each<[string, StandIn["answer"]]>([
  ["is down", 503],
  ["hangs", "hang"],
  ["breaks off", "reset"],
])("a hub that %s fails no call, and gets what waited once it works", async (_name, answer) => {
  const { hub, gateway } = await start();
  hub.answer = answer;
  for (let i = 0; i < 20; i++) expect(await call(gateway, `/echo/${i}`)).toBe(200);
  if (answer === "hang") return;
  hub.answer = null;
  await gateway.drain(10_000);
  expect(hub.received.flatMap(({ bodies }) => bodies)).toEqual(
    Array.from({ length: 20 }, (_, i) => `/echo/${i}`),
  );
});

it("credentials that cannot be used are said when the folder is loaded, without the key", async () => {
  const { gateway } = await start();
  gateway.write(
    "loggers/calls/loggerInformation.json",
    JSON.stringify({
      properties: {
        loggerType: "azureEventHub",
        credentials: { name: "calls", connectionString: "SharedAccessKey=s3cret" },
      },
    }),
  );
  const problems = await gateway.reload();
  expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
    "HG5507 the credentials of logger `calls` cannot be used: of its connection string, it has no Endpoint",
  ]);
  expect(await call(gateway, "/echo/still")).toBe(200);
});
