/**
 * For tests: an exchange without sockets. The parts are the real ones (router, index, exchange, bodies); only the
 * client at the other end is a recording.
 */
import type { Clock } from "../base/clock.ts";
import { HeaderList } from "../base/headers.ts";
import { MemoryCache } from "../cache/memory-cache.ts";
import { Measures } from "../telemetry/metrics/measures.ts";
import { Metrics } from "../telemetry/metrics/registry.ts";
import { countersAlone } from "../counters/index.ts";
import { createBuiltInGuard } from "../guards/built-in/guard.ts";
import { guardBehind } from "./safety/guards.ts";
import { Flights } from "../semantic/flights.ts";
import { MemorySemanticStore } from "../semantic/memory/store.ts";
import { VectorCache } from "../semantic/vector-cache.ts";
import type { BodySource } from "../transport/transport.ts";
import { Body } from "./body.ts";
import { Exchange } from "./exchange.ts";
import { CredentialError } from "./identity.ts";
import { RequestMessage, ResponseMessage } from "./message.ts";
import type { Services } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";
import { type RequestFields, type TestIncoming, incomingOf } from "./testing-client.ts";
import { snapshotOf } from "./testing-snapshot.ts";
import { originalUrlOf, splitTarget } from "./url.ts";

export * from "./testing-client.ts";
export * from "./testing-snapshot.ts";
export * from "./testing-steps.ts";

/** A clock that stands until it is moved. */
export class FakeClock implements Clock {
  ms = 1_700_000_000_000;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.ms + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  /** Waits that are under way, in ms from now, shortest first. */
  get waits(): number[] {
    return this.#timers.map(({ at }) => at - this.ms).sort((a, b) => a - b);
  }
  /** Moves on, calling back what is due in order. */
  advance(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.ms = Math.max(this.ms, due.at);
      due.callback();
    }
    this.ms = until;
  }
}

/** What the exchange wrote to log and bug report, besides the services themselves. */
export interface TestServices extends Services {
  readonly clock: FakeClock;
  readonly logged: Readonly<Record<string, unknown>>[];
  readonly bugs: unknown[];
}

export function servicesOf(changed: Partial<Services> = {}): TestServices {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const bugs: unknown[] = [];
  return {
    clock: new FakeClock(),
    client: {
      send: () => Promise.reject(new Error("no client in this test")),
      close: () => Promise.resolve(),
    },
    deployment: {
      region: "here",
      serviceName: "test",
      serviceId: "test",
      gatewayId: "gateway",
      gateway: { id: "gateway", instanceId: "0", isManaged: false },
      certificates: new Map(),
    },
    random: () => 0.5,
    forward: () => Promise.reject(new Error("nothing to forward to in this test")),
    ask: () => Promise.reject(new Error("nobody to ask in this test")),
    guardFor: (exchange, service) => guardBehind(exchange, service, createBuiltInGuard()),
    countSafety: () => {},
    caches: { internal: new MemoryCache(), external: () => null },
    mayRetry: () => true,
    identities: { azureToken: noIdentity, googleToken: noIdentity, awsKeys: noIdentity },
    connections: { token: noIdentity, entra: "https://login.microsoftonline.com" },
    loggers: { sendEvent: () => {} },
    counters: countersAlone(),
    semantic: semanticServices(),
    spans: null,
    measures: new Measures(new Metrics(0)),
    watchModel: () => null,
    sinks: { sendRow: () => {}, sendMeasure: () => {} },
    models: {
      countPrompt: ({ messages }) => ({ tokens: JSON.stringify(messages).length, exact: false }),
      countText: (text) => ({ tokens: text.length, exact: false }),
      settled: () => {},
      contents: () => {},
    },
    later: { fetchedBy: () => null, watch: () => {} },
    log: (record) => void logged.push(record),
    reportBug: (_exchange, error) => void bugs.push(error),
    logged,
    bugs,
    ...changed,
  } as TestServices;
}

/** A store and an embedder of one's own; the embedder has no model. */
export function semanticServices(): Services["semantic"] {
  const store = new MemorySemanticStore(() => 0);
  return {
    storeFor: () => store,
    embedder: {
      embed: () => Promise.reject(new Error("there is no embedded model in this test")),
      close: () => Promise.resolve(),
    },
    vectors: new VectorCache(),
    flights: new Flights(),
  };
}

function noIdentity(): never {
  throw new CredentialError("there is no identity in this test");
}

export const REQUEST_ID = "00000000-0000-4000-8000-000000000001";

export interface TestExchange extends Exchange {
  readonly services: TestServices;
  readonly incoming: TestIncoming;
}

/** An exchange as the listener makes it, before routing. */
export function exchangeOf(
  fields: RequestFields = {},
  snapshot: Snapshot = snapshotOf(),
  services = servicesOf(),
): TestExchange {
  const incoming = incomingOf(fields);
  const split = splitTarget(incoming.target) ?? { path: "/", query: "" };
  const headers = new HeaderList(incoming.rawHeaders);
  const request = new RequestMessage({
    method: incoming.method,
    headers,
    body: incoming.body === null ? null : Body.streaming("request", incoming.body, headers),
    originalUrl: originalUrlOf(incoming.encrypted ? "https" : "http", headers.get("host") ?? "", split),
    path: split.path,
    query: split.query,
    ipAddress: incoming.remoteAddress,
    certificate: () => incoming.clientCertificate(),
  });
  return new Exchange(incoming, request, snapshot, services, REQUEST_ID) as TestExchange;
}

/** A response with the given body, in memory or streaming. */
export function responseOf(
  status: number,
  body: string | BodySource | null = null,
  headers: readonly string[] = [],
): ResponseMessage {
  const list = new HeaderList([...headers]);
  const held =
    body === null
      ? null
      : typeof body === "string"
        ? Body.text("response", body)
        : Body.streaming("response", body, list);
  return new ResponseMessage(status, "", list, held);
}
