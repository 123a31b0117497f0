/**
 * OTLP over HTTP (OpenTelemetry Protocol 1.x): spans and log records in batches from bounded queues, metrics at an interval.
 * The messages are made by OpenTelemetry's own serializers, which are loaded when the first is sent.
 */
import type { Resource } from "@opentelemetry/resources";
import { Abort } from "../../../base/abort.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Client } from "../../../transport/transport.ts";
import type { LogRow } from "../../diagnostic.ts";
import { Delivery, type Report, type Sent } from "../../delivery.ts";
import type { Sink, SinkState } from "../../logger.ts";
import type { Metrics } from "../../metrics/registry.ts";
import type { Span } from "../../span.ts";
import { logOf, metricsOf, resourceOf, spanOf } from "./convert.ts";
import type { OtlpEndpoint, OtlpSettings, Signal } from "./settings.ts";

export interface OtlpWorld {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
}

const TIMEOUT_MS = 10_000;
const BATCH = 512;
/** What a record costs in memory, roughly. */
const RECORD_BYTES = 1024;

type Transformer = typeof import("@opentelemetry/otlp-transformer");

export class OtlpExporter implements Sink {
  readonly #settings: OtlpSettings;
  readonly #world: OtlpWorld;
  readonly #resource: Resource;
  readonly #spans: Delivery<Span> | null;
  readonly #logs: Delivery<LogRow> | null;
  #metrics: Metrics | null = null;
  #stopMetrics: (() => void) | null = null;
  #transformer: Promise<Transformer> | null = null;
  #closed = false;

  constructor(settings: OtlpSettings, world: OtlpWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#resource = resourceOf(settings.resource);
    const { clock, random, report } = world;
    const queue = <T>(signal: Signal, send: (batch: readonly T[]) => Promise<Sent>): Delivery<T> | null =>
      settings.endpoints[signal] === null
        ? null
        : new Delivery<T>({
            name: `otlp ${signal}`,
            send,
            batch: (waiting) => Math.min(waiting.length, BATCH),
            clock,
            random,
            report,
          });
    this.#spans = queue<Span>("traces", async (spans) => {
      const serializer = await this.#serializer("traces");
      return this.#send("traces", serializer(spans.map((span) => spanOf(span, this.#resource))));
    });
    this.#logs = queue<LogRow>("logs", async (rows) => {
      const serializer = await this.#serializer("logs");
      return this.#send("logs", serializer(rows.map((row) => logOf(row, this.#resource))));
    });
  }

  /** Share of new traces that are recorded; null when none are sent. */
  get sampledShare(): number | null {
    return this.#spans === null ? null : this.#settings.sampledShare;
  }

  get takesLogs(): boolean {
    return this.#logs !== null;
  }

  addSpan(span: Span): void {
    this.#spans?.add(span, RECORD_BYTES);
  }

  addLog(row: LogRow): void {
    this.#logs?.add(row, RECORD_BYTES + contentBytes(row));
  }

  /** Sends `metrics` at the interval of the settings from now on. */
  watch(metrics: Metrics): void {
    if (this.#settings.endpoints.metrics === null) return;
    this.#metrics = metrics;
    const next = (): void => {
      this.#stopMetrics = this.#world.clock.after(this.#settings.metricIntervalMs, () => {
        void this.#sendMetrics().then(() => {
          if (!this.#closed) next();
        });
      });
    };
    next();
  }

  /** Of spans and log records together; metrics are sums, of which no part is lost for good. */
  get state(): SinkState {
    const all = [this.#spans, this.#logs].filter((one) => one !== null);
    const sum = (of: "added" | "sent" | "dropped" | "waiting"): number =>
      all.reduce((total, one) => total + one[of], 0);
    return {
      added: sum("added"),
      sent: sum("sent"),
      dropped: sum("dropped"),
      waiting: sum("waiting"),
      isFailing: all.some((one) => one.isFailing),
    };
  }

  async flush(): Promise<void> {
    await Promise.all([this.#spans?.flush(), this.#logs?.flush(), this.#sendMetrics()]);
  }

  close(): void {
    this.#closed = true;
    this.#stopMetrics?.();
    this.#spans?.close();
    this.#logs?.close();
  }

  /** A metric message that does not get through is not kept: the next has the same counts and more. */
  async #sendMetrics(): Promise<void> {
    if (this.#metrics === null) return;
    const found = metricsOf(this.#metrics, this.#resource, this.#world.clock.now());
    if (found === null) return;
    try {
      const serializer = await this.#serializer("metrics");
      const sent = await this.#send("metrics", serializer(found));
      if (sent.kind !== "done")
        this.#world.report({ level: "warning", msg: "metrics were not taken", reason: sent.why });
    } catch (error) {
      this.#world.report({ level: "warning", msg: "metrics could not be sent", reason: String(error) });
    }
  }

  async #serializer(signal: Signal): Promise<(records: any) => Uint8Array | undefined> {
    const transformer = await (this.#transformer ??= import("@opentelemetry/otlp-transformer"));
    const json = this.#settings.protocol === "http/json";
    const serializer =
      signal === "traces"
        ? json
          ? transformer.JsonTraceSerializer
          : transformer.ProtobufTraceSerializer
        : signal === "logs"
          ? json
            ? transformer.JsonLogsSerializer
            : transformer.ProtobufLogsSerializer
          : json
            ? transformer.JsonMetricsSerializer
            : transformer.ProtobufMetricsSerializer;
    return (records) => serializer.serializeRequest(records);
  }

  async #send(signal: Signal, body: Uint8Array | undefined): Promise<Sent> {
    if (body === undefined) return { kind: "refused", why: "it could not be serialized" };
    const endpoint = this.#settings.endpoints[signal] as OtlpEndpoint;
    const { scheme, host, port, target, headers } = endpoint;
    const type = this.#settings.protocol === "http/json" ? "application/json" : "application/x-protobuf";
    const abort = new Abort();
    const stop = this.#world.clock.after(TIMEOUT_MS, () => abort.abort("deadline"));
    try {
      const answer = await this.#world.client.send({
        method: "POST",
        scheme,
        host,
        port,
        target,
        rawHeaders: [...headers, "Content-Type", type],
        body,
        abort,
      });
      answer.body?.cancel();
      if (answer.status < 300) return { kind: "done" };
      // OTLP 1.x, "Retryable Response Codes".
      const again = [429, 502, 503, 504].includes(answer.status);
      return { kind: again ? "retry" : "refused", why: `it answered ${answer.status}` };
    } finally {
      stop();
    }
  }
}

function contentBytes({ columns }: LogRow): number {
  const content = columns["RequestMessages"] ?? columns["ResponseMessages"];
  return typeof content === "string" ? content.length * 2 : 0;
}
