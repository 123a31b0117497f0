/**
 * Telemetry to Application Insights over its ingestion service: `POST {endpoint}/v2.1/track`, envelopes as lines of JSON,
 * compressed. Records wait in a bounded queue; what the service did not take and may take later goes again, the rest is
 * counted as dropped. Metrics of policies are gathered for a minute before they become envelopes, as the service wants them.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Abort } from "../../../base/abort.ts";
import { requestWhole } from "../../../transport/whole-answer.ts";
import type { LogRow } from "../../diagnostic.ts";
import { Delivery, type Sent } from "../../delivery.ts";
import type { AppInsightsLogger, ExporterWorld, Sink, SinkState } from "../../logger.ts";
import type { Measure } from "../../metrics/measures.ts";
import { type EnvelopeWorld, type GatheredMetric, type Telemetry, envelopeOf } from "./envelope.ts";
import { type IngestionPlace, placeOf } from "./settings.ts";

const RESOURCE = "https://monitor.azure.com";
const TIMEOUT_MS = 30_000;
const MOST_ANSWER_BYTES = 256 * 1024;
const GATHER_MS = 60_000;
const MOST_SERIES = 5000;
const MOST_REDIRECTS = 10;
/** What a record costs in memory besides its texts, roughly. */
const RECORD_BYTES = 1024;
/** Of a batch, before it is compressed, roughly. */
const BATCH_BYTES = 512 * 1024;
/** May be mended at the other end: not signed in yet, too much at once, down. */
const AGAIN = new Set([401, 403, 408, 429, 439, 500, 502, 503, 504]);

const compress = promisify(gzip);

interface Queued {
  readonly telemetry: Telemetry;
  readonly bytes: number;
}

export class AppInsightsExporter implements Sink {
  readonly #logger: AppInsightsLogger;
  readonly #world: ExporterWorld;
  readonly #envelopes: EnvelopeWorld;
  readonly #delivery: Delivery<Queued>;
  /** Where telemetry goes; the service may say somewhere else. */
  #place: IngestionPlace;
  #metrics = new Map<string, GatheredMetric>();
  #stopGathering: (() => void) | null = null;
  #closed = false;

  constructor(logger: AppInsightsLogger, world: ExporterWorld) {
    const { instrumentationKey, endpoint } = logger.settings;
    this.#logger = logger;
    this.#world = world;
    this.#place = endpoint;
    this.#envelopes = { instrumentationKey, role: world.role ?? "headgate", instance: world.instance ?? "" };
    const { clock, random, report } = world;
    this.#delivery = new Delivery<Queued>({
      name: `application insights at ${endpoint.host} (logger ${logger.id})`,
      send: (batch) => this.#send(batch),
      batch: countTogether,
      clock,
      random,
      report,
    });
  }

  get state(): SinkState {
    return this.#delivery;
  }

  /** A row of a diagnostic: a request becomes several records, any other one. */
  addRow(row: LogRow): void {
    if (row.category !== "GatewayLogs" || row.detail === undefined) {
      this.#add({ kind: row.category === "GatewayLlmLogs" ? "llm" : "row", row }, textBytes(row));
      return;
    }
    if (!row.isUnsampled) {
      this.#add({ kind: "request", row }, textBytes(row));
      row.detail.attempts.forEach((_, index) => this.#add({ kind: "dependency", row, index }, 0));
    }
    const traces = row.columns["TraceRecords"];
    if (Array.isArray(traces)) {
      // The row's texts are held by its first record.
      const held = (index: number): number => (row.isUnsampled && index === 0 ? textBytes(row) : 0);
      traces.forEach((_, index) => this.#add({ kind: "message", row, index }, held(index)));
    }
    if (row.isUnsampled) return;
    if (Array.isArray(row.columns["Errors"])) this.#add({ kind: "exception", row }, 0);
  }

  addMeasure({ namespace, name, dimensions, values, value }: Measure): void {
    if (this.#closed || !Number.isFinite(value)) return;
    const key = [namespace, name, ...dimensions, ...values].join("\u0000");
    const known = this.#metrics.get(key);
    if (known === undefined) {
      if (this.#metrics.size >= MOST_SERIES) this.#sendMetrics();
      const timeMs = this.#world.clock.now();
      const gathered = { sum: value, count: 1, min: value, max: value };
      this.#metrics.set(key, { timeMs, namespace, name, dimensions, values: [...values], ...gathered });
    } else {
      known.sum += value;
      known.count++;
      known.min = Math.min(known.min, value);
      known.max = Math.max(known.max, value);
    }
    if (!this.#logger.settings.isBuffered) this.#sendMetrics();
    else this.#stopGathering ??= this.#world.clock.after(GATHER_MS, () => this.#sendMetrics());
  }

  flush(): Promise<void> {
    this.#sendMetrics();
    return this.#delivery.flush();
  }

  close(): void {
    this.#sendMetrics();
    this.#closed = true;
    this.#delivery.close();
  }

  #sendMetrics(): void {
    this.#stopGathering?.();
    this.#stopGathering = null;
    const metrics = this.#metrics;
    if (metrics.size === 0) return;
    this.#metrics = new Map();
    for (const metric of metrics.values()) this.#add({ kind: "metric", metric }, 0);
  }

  #add(telemetry: Telemetry, textSize: number): void {
    const bytes = RECORD_BYTES + textSize;
    this.#delivery.add({ telemetry, bytes }, bytes);
  }

  async #send(batch: readonly Queued[]): Promise<Sent> {
    const lines = batch.map(({ telemetry }) => JSON.stringify(envelopeOf(telemetry, this.#envelopes)));
    const body = await compress(lines.join("\n"));
    const rawHeaders = ["Content-Type", "application/x-json-stream", "Content-Encoding", "gzip"];
    const { identity } = this.#logger.settings;
    if (identity !== null) {
      const token = await this.#world.azureToken(RESOURCE, identity.clientId);
      rawHeaders.push("Authorization", `Bearer ${token}`);
    }
    const abort = new Abort();
    const stop = this.#world.clock.after(TIMEOUT_MS, () => abort.abort("deadline"));
    try {
      for (let redirects = 0; ; redirects++) {
        const answer = await requestWhole(this.#world.client, {
          method: "POST",
          url: urlOf(this.#place),
          rawHeaders,
          body,
          insecure: false,
          limitBytes: MOST_ANSWER_BYTES,
          abort,
        });
        const { status } = answer;
        if (status !== 307 && status !== 308)
          return judge(status, answer.rawHeaders, answer.body, batch.length, this.#world.clock.now());
        const next = redirectOf(this.#place, header(answer.rawHeaders, "location"));
        if (next === null) return { kind: "retry", why: `it answered ${status} to nowhere` };
        if (redirects >= MOST_REDIRECTS) return { kind: "retry", why: "it redirects in circles" };
        this.#place = next;
      }
    } finally {
      stop();
    }
  }
}

function urlOf({ scheme, host, port, path }: IngestionPlace): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${scheme}://${name}:${port}${path}/v2.1/track`;
}

/** How many of the first go together. */
function countTogether(waiting: readonly Queued[]): number {
  let bytes = 0;
  let count = 0;
  for (const { bytes: own } of waiting) {
    bytes += own;
    if (count > 0 && bytes > BATCH_BYTES) break;
    count++;
  }
  return count;
}

/** Never to another scheme, and never to another domain: telemetry, and perhaps a token, goes along. */
function redirectOf(from: IngestionPlace, location: string | null): IngestionPlace | null {
  if (location === null || !URL.canParse(location, urlOf(from))) return null;
  const to = placeOf(new URL(location, urlOf(from)).href);
  if (to === null || (from.scheme === "https" && to.scheme !== "https")) return null;
  const domain = (host: string): string => host.split(".").slice(-2).join(".");
  if (to.host !== from.host && domain(to.host) !== domain(from.host)) return null;
  return { ...to, path: to.path.replace(/\/v2(?:\.1)?\/track$/, "") };
}

/** 200: all; 206: says of each that it did not take why. */
function judge(
  status: number,
  rawHeaders: readonly string[],
  body: Uint8Array,
  count: number,
  nowMs: number,
): Sent {
  if (status === 200 || status === 204) return { kind: "done" };
  const afterMs = retryAfterMs(header(rawHeaders, "retry-after"), nowMs);
  if (status === 206) return partOf(body, count, afterMs);
  return { kind: AGAIN.has(status) ? "retry" : "refused", why: `it answered ${status}`, afterMs };
}

function partOf(body: Uint8Array, count: number, afterMs: number): Sent {
  const again: number[] = [];
  let refused = 0;
  let why = "it took a part only";
  const seen = new Set<number>();
  for (const { index, statusCode, message } of errorsOf(body)) {
    if (!(typeof index === "number" && index >= 0 && index < count) || seen.has(index)) continue;
    seen.add(index);
    if (AGAIN.has(Number(statusCode))) again.push(index);
    else refused++;
    if (typeof message === "string") why = `${Number(statusCode)}: ${message.slice(0, 200)}`;
  }
  if (again.length === 0 && refused === 0) return { kind: "done" };
  return { kind: "partial", again: again.sort((a, b) => a - b), refused, why, afterMs };
}

function errorsOf(body: Uint8Array): { index?: unknown; statusCode?: unknown; message?: unknown }[] {
  try {
    const answer = JSON.parse(new TextDecoder().decode(body)) as { errors?: unknown } | null;
    const errors = answer?.errors;
    return Array.isArray(errors) ? errors.filter((one) => typeof one === "object" && one !== null) : [];
  } catch {
    return [];
  }
}

/** Seconds or a date. */
function retryAfterMs(text: string | null, nowMs: number): number {
  if (text === null) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

function header(rawHeaders: readonly string[], name: string): string | null {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === name) return rawHeaders[i + 1]!;
  return null;
}

/** Texts of a row that may be long. */
function textBytes({ columns }: LogRow): number {
  let bytes = 0;
  for (const name of ["RequestMessages", "ResponseMessages", "RequestBody", "ResponseBody", "Url"]) {
    const text = columns[name];
    if (typeof text === "string") bytes += text.length * 2;
  }
  for (const trace of (columns["TraceRecords"] as { message: string }[] | undefined) ?? [])
    bytes += trace.message.length * 2;
  return bytes;
}
