/**
 * a sink is down for a while under load. Callers notice nothing, memory is bounded, and every record is either
 * delivered, once, or counted as dropped. Sinks here are real servers that refuse, hang up or say nothing while "down".
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { FakeClock } from "../src/gateway/testing.ts";
import type { LogRow } from "../src/telemetry/diagnostic.ts";
import { placeOf } from "../src/telemetry/exporters/application-insights/settings.ts";
import { readOtlp } from "../src/telemetry/exporters/otlp/settings.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { Loggers } from "../src/telemetry/loggers.ts";
import { createClient } from "../src/transport/node/index.ts";
import { api, testGateway } from "./gateway.ts";
import { standIn } from "./stand-in.ts";

const PRODUCED = 25_000;
const MOST_WAITING = 10_000;

interface FlakySink {
  readonly url: string;
  /** Numbers of the rows that it took. */
  readonly taken: number[];
  isDown: boolean;
}

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** Rows are found by their mark, whatever the form they travel in. */
async function flakySink(failure: "refuses" | "resets"): Promise<FlakySink> {
  const server: Server = createServer((request, response) => {
    if (sink.isDown && failure === "resets") return void request.socket.resetAndDestroy();
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (sink.isDown) return void response.writeHead(503).end();
      const body = Buffer.concat(chunks);
      const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString(
        "latin1",
      );
      for (const [, n] of text.matchAll(/mark-(\d+)-/g)) sink.taken.push(Number(n));
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  const sink: FlakySink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: [],
    isDown: false,
  };
  return sink;
}

const row = (n: number): LogRow => ({
  category: "GatewayLlmLogs",
  timeMs: 1_700_000_000_000,
  correlationId: "c",
  columns: { RequestMessages: `mark-${n}-` },
});

const LOGGERS: Readonly<Record<string, (url: string) => Logger>> = {
  "Application Insights": (url) => ({
    kind: "application-insights",
    id: "sink",
    type: "applicationInsights",
    key: "k",
    settings: {
      instrumentationKey: "12345678-1234-1234-1234-123456789abc",
      endpoint: placeOf(url)!,
      identity: null,
      isBuffered: true,
    },
  }),
  OTLP: (url) => ({
    kind: "otlp",
    id: "sink",
    type: "otlp",
    key: "k",
    settings: readOtlp({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: url }) as Exclude<
      ReturnType<typeof readOtlp>,
      string | null
    >,
  }),
};

test.each([
  ["Application Insights", "refuses"],
  ["Application Insights", "resets"],
  ["OTLP", "refuses"],
  ["OTLP", "resets"],
] as const)("R-18: %s %s for a while: delivered + dropped = produced, exactly", async (kind, failure) => {
  const sink = await flakySink(failure);
  const clock = new FakeClock();
  const client = createClient();
  opened.push(client);
  const loggers = new Loggers({ client, clock, random: () => 0.5, report: () => {}, azureToken: () => "" });
  opened.push(loggers);
  const logger = LOGGERS[kind]!(sink.url);
  let produced = 0;
  const produce = (count: number): void => {
    for (let i = 0; i < count; i++) loggers.sendRow(logger, row(produced++));
  };
  produce(500);
  await loggers.flush();
  sink.isDown = true;
  produce(1);
  await expect.poll(() => loggers.failing, { timeout: 10_000 }).toBe(1);
  // The load goes on, and the queue tries in vain now and then.
  while (produced < PRODUCED) {
    produce(1500);
    clock.advance(2_000);
    expect(loggers.totals.waiting).toBeLessThanOrEqual(MOST_WAITING);
    await new Promise((resolve) => setImmediate(resolve));
  }
  sink.isDown = false;
  // In small steps: a request under way must not run out of its own time.
  const waits = (): number => {
    clock.advance(200);
    return loggers.totals.waiting;
  };
  void loggers.flush();
  await expect.poll(waits, { timeout: 20_000, interval: 10 }).toBe(0);
  const { added, sent, dropped, waiting } = loggers.totals;
  expect({ added, waiting }).toEqual({ added: produced, waiting: 0 });
  expect(sent + dropped).toBe(produced);
  expect(dropped).toBeGreaterThanOrEqual(produced - 500 - MOST_WAITING - 1);
  // What the counters say is what arrived, each once.
  expect(sink.taken.length).toBe(sent);
  expect(new Set(sink.taken).size).toBe(sent);
  expect(loggers.failing).toBe(0);
});

test("R-18: through a whole gateway: callers notice nothing while every sink is down", async () => {
  const sink = await flakySink("refuses");
  const upstream = await standIn("model");
  opened.push(upstream);
  const data = mkdtempSync(join(tmpdir(), "headgate-down-"));
  opened.push({ close: () => rmSync(data, { recursive: true, force: true }) });
  // A file where the folder should be.
  writeFileSync(join(data, "rows"), "");
  const diagnostic = (logger: string): object => ({ properties: { loggerId: `/loggers/${logger}` } });
  const credentials = {
    connectionString: `InstrumentationKey=12345678-1234-1234-1234-123456789abc;IngestionEndpoint=${sink.url}`,
  };
  const gateway = await testGateway(
    {
      ...api("a", upstream.url, ["GET /x"]),
      "loggers/insights/loggerInformation.json": {
        properties: { loggerType: "applicationInsights", credentials },
      },
      "loggers/rows/loggerInformation.json": {
        properties: { loggerType: "file", credentials: { path: "rows" } },
      },
      "loggers/otel/loggerInformation.json": {
        properties: { loggerType: "otlp", credentials: { endpoint: sink.url } },
      },
      "apis/a/diagnostics/applicationinsights/diagnosticInformation.json": diagnostic("insights"),
      "apis/a/diagnostics/azuremonitor/diagnosticInformation.json": diagnostic("rows"),
      "apis/a/diagnostics/local/diagnosticInformation.json": diagnostic("otel"),
    },
    { dataDir: data, admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
  opened.push(gateway);
  sink.isDown = true;
  const statuses = new Set<number>();
  const call = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const answer = await fetch(`${gateway.url}/a/x`);
      await answer.text();
      statuses.add(answer.status);
    }
  };
  await Promise.all(Array.from({ length: 10 }, () => call(20)));
  expect([...statuses]).toEqual([200]);
  const ready = await fetch(`${gateway.adminUrl}/readyz`);
  expect(await ready.text()).toContain("log_sink");
  const before = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  expect(before).toContain('headgate_log_dropped_total{sink="loggers",reason="queue"} 0');

  sink.isDown = false;
  rmSync(join(data, "rows"));
  await gateway.drain(20_000);
  const lines = readdirSync(join(data, "rows")).flatMap((name) =>
    readFileSync(join(data, "rows", name), "utf8")
      .trimEnd()
      .split("\n"),
  );
  expect(lines.length).toBe(200);
});
