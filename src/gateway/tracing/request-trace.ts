/**
 * Records one exchange step by step and shows it in the shape of `listTrace` (`routing.md` §7.5): entries by section, each
 * with source, time and what is known. It keeps texts only, bounded in number and size, and every text it gives out has
 * been through the mask twice: when it was noted, and, for secrets that became known later, when it is read.
 */
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { Authorization } from "../../compiler/runtime/library/credentials.ts";
import { textOf } from "../../compiler/runtime/values.ts";
import type { Section, Site, Step } from "../../compiler/policy.ts";
import type { Exchange } from "../exchange.ts";
import { ResponseMessage } from "../message.ts";
import type { Trace, TraceFacts } from "../trace.ts";
import { GatewayError } from "../errors.ts";
import { HIDDEN, type Mask, hidesName } from "./mask.ts";
import { MessageChanges } from "./message-changes.ts";

const MOST_ENTRIES = 2_000;
/** UTF-16 units of one trace, and of a single text. */
const LARGEST_TRACE = 512 * 1024;
const LONGEST_TEXT = 2_048;
const LONGEST_READ = 64 * 1024;

interface Entry {
  readonly section: Section;
  readonly source: string;
  /** Ms since the exchange began, monotonic. */
  readonly startedMs: number;
  readonly data: Record<string, unknown>;
  readonly site: Site | null;
}

/** As `listTrace` gives it out. */
export interface TraceDocument {
  readonly serviceName: string;
  readonly traceId: string;
  /** False while the exchange is under way. */
  readonly complete: boolean;
  readonly traceEntries: Readonly<Record<Section, readonly TraceEntry[]>>;
}

export interface TraceEntry {
  readonly source: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** Since the request came in, as .NET writes a TimeSpan: `00:00:00.0002475`. */
  readonly elapsed: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class RequestTrace implements Trace {
  readonly id: string;
  readonly mask: Mask;
  readonly #serviceName: string;
  readonly #startedAtMs: number;
  readonly #entries: Entry[] = [];
  readonly #open: Entry[] = [];
  readonly #known = new Map<string, { value: unknown; text: string }>();
  readonly #changes: MessageChanges;
  readonly #head: Entry;
  #exchange: Exchange | null;
  #size = 0;
  #leftOut = 0;

  constructor(id: string, exchange: Exchange, mask: Mask) {
    this.id = id;
    this.mask = mask;
    this.#exchange = exchange;
    this.#serviceName = exchange.deployment.serviceName;
    this.#startedAtMs = exchange.timestampMs;
    this.#changes = new MessageChanges(exchange);
    const { originalUrl, ipAddress } = exchange.request;
    const { incoming } = exchange;
    const request = {
      method: incoming.method,
      url: this.#url(
        `${originalUrl.scheme}://${originalUrl.host}:${originalUrl.port}${originalUrl.path}${originalUrl.queryString}`,
      ),
      clientIp: ipAddress,
      headers: this.#headers(incoming.rawHeaders),
    };
    this.#head = this.#entry("inbound", "api-inspector", 0, { configuration: {}, request })!;
  }

  /** About how much memory it takes, in UTF-16 units. */
  get size(): number {
    return this.#size;
  }

  message(source: string, text: string, more: TraceFacts = {}): void {
    const shown = this.#text(text);
    const open = this.#openStep(source);
    if (open === null) this.#standalone(source, { message: shown, ...(this.#shown(more) as TraceFacts) });
    else ((open.data["remarks"] ??= []) as string[]).push(shown);
  }

  detail(source: string, facts: TraceFacts): void {
    const shown = this.#shown(facts) as Record<string, unknown>;
    const open = this.#openStep(source);
    if (open === null) this.#standalone(source, shown);
    else {
      if ("backend" in shown && "backend" in open.data) setAside(open.data);
      Object.assign(open.data, shown);
    }
  }

  begin(step: Step, exchange: Exchange): Entry | null {
    if (this.#open.length === 0) this.#sayWhatTheGatewayDid(exchange);
    const { site } = step;
    const policy = {
      scope: site.scope,
      scopeId: site.scopeId,
      path: site.path,
      file: site.file,
      line: site.line,
      ...(site.policyId === null ? {} : { id: site.policyId }),
    };
    const entry = this.#entry(site.section, site.element, exchange.elapsedMs(), { policy }, site);
    if (entry !== null) this.#open.push(entry);
    return entry;
  }

  end(token: unknown, exchange: Exchange, error: unknown): void {
    const endedMs = exchange.elapsedMs();
    const entry = token as Entry | null;
    const variables = this.#takeVariables(exchange);
    const changes = this.#changes.take(exchange);
    if (entry === null) return;
    // What it brought back is told in its own words.
    if (entry.source === "forward-request") changes.splice(0);
    const at = this.#open.indexOf(entry);
    if (at >= 0) this.#open.splice(at, 1);
    entry.data["microseconds"] = microseconds(endedMs - entry.startedMs);
    if (variables !== null) entry.data["variables"] = variables;
    if (changes.length > 0)
      entry.data["changes"] = changes.map(({ what, before, after }) => this.#change(what, before, after));
    if (error !== null) entry.data["error"] = this.#error(error);
  }

  /** The exchange failed: what on-error sees. */
  failed(exchange: Exchange): void {
    this.#entry("on-error", "gateway", exchange.elapsedMs(), {
      error: this.#shown(exchange.lastError ?? {}),
    });
  }

  /** The exchange is over. */
  finish(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#describe(exchange);
    const { response, section, incoming } = exchange;
    const gone = exchange.abort.aborted && exchange.abort.reason === "client";
    const data: Record<string, unknown> =
      gone || response === null
        ? { message: gone ? "The client hung up." : "There was no response." }
        : {
            response: {
              status: response.statusCode,
              reason: response.statusReason,
              headers: this.#headers(response.headers.raw),
            },
          };
    if (incoming.refusal !== null) data["refusal"] = incoming.refusal.code;
    data["bytesSent"] = exchange.bytesSent;
    data["configVersion"] = exchange.snapshot.version;
    if (this.#leftOut > 0) data["entriesLeftOut"] = this.#leftOut;
    this.#size = Math.min(this.#size, LARGEST_TRACE - 4_096);
    const last = section === "on-error" ? "on-error" : "outbound";
    this.#force(last, "gateway", exchange.elapsedMs(), data);
    this.#exchange = null;
    this.#known.clear();
  }

  /** What is known so far. */
  read(): TraceDocument {
    if (this.#exchange !== null) this.#describe(this.#exchange);
    const bySection: Record<Section, TraceEntry[]> = {
      inbound: [],
      backend: [],
      outbound: [],
      "on-error": [],
    };
    for (const { section, source, startedMs, data } of this.#entries) {
      bySection[section].push({
        source: this.mask.text(source),
        timestamp: new Date(this.#startedAtMs + startedMs).toISOString(),
        elapsed: timeSpan(startedMs),
        data: this.#masked(data) as Record<string, unknown>,
      });
    }
    return {
      serviceName: this.#serviceName,
      traceId: this.id,
      complete: this.#exchange === null,
      traceEntries: bySection,
    };
  }

  /** What was matched; product and user are only known after admission. */
  #describe({ api, operation, product, subscription, user, backend }: Exchange): void {
    this.#head.data["configuration"] = {
      api:
        api === null
          ? "-"
          : {
              id: api.id,
              from: `/${api.path}`,
              to: api.serviceUrl === null ? null : hostText(api.serviceUrl),
              version: api.version === "" ? null : api.version,
              revision: api.revision,
            },
      operation:
        operation === null
          ? "-"
          : { id: operation.id, method: operation.method, uriTemplate: operation.urlTemplate },
      user: user?.id ?? "-",
      product: product?.id ?? "-",
      subscription: subscription?.id ?? "-",
    };
    if (subscription !== null) {
      this.mask.addSecret(subscription.key);
      this.mask.addSecret(subscription.primaryKey);
      this.mask.addSecret(subscription.secondaryKey);
    }
    for (const entity of backend === null ? [] : [backend, ...backend.pool.map((member) => member.backend)]) {
      const { credentials } = entity;
      if (credentials === null) continue;
      for (let i = 1; i < credentials.headers.length; i += 2) this.mask.addSecret(credentials.headers[i]);
      for (const pair of credentials.query.split("&")) this.mask.addSecret(pair.slice(pair.indexOf("=") + 1));
      this.mask.addSecret(credentials.authorization?.parameter);
    }
  }

  #standalone(source: string, data: Record<string, unknown>): void {
    const exchange = this.#exchange;
    if (exchange !== null) this.#entry(exchange.section, source, exchange.elapsedMs(), data);
  }

  #entry(
    section: Section,
    source: string,
    startedMs: number,
    data: Record<string, unknown>,
    site: Site | null = null,
  ): Entry | null {
    if (this.#entries.length >= MOST_ENTRIES || this.#size > LARGEST_TRACE) {
      this.#leftOut++;
      return null;
    }
    return this.#force(section, source, startedMs, data, site);
  }

  #force(
    section: Section,
    source: string,
    startedMs: number,
    data: Record<string, unknown>,
    site: Site | null = null,
  ): Entry {
    const entry: Entry = { section, source, startedMs, data, site };
    this.#entries.push(entry);
    this.#size += 200;
    return entry;
  }

  /** The step of this element that began last and is still under way. */
  #openStep(element: string): Entry | null {
    return this.#open.findLast((entry) => entry.source === element) ?? null;
  }

  /** Changes between two steps are the gateway's: admission takes the key out, an error makes a response. */
  #sayWhatTheGatewayDid(exchange: Exchange): void {
    const changes = this.#changes.take(exchange);
    if (changes.length === 0) return;
    const shown = changes.map(({ what, before, after }) => this.#change(what, before, after));
    this.#entry(exchange.section, "gateway", exchange.elapsedMs(), { changes: shown });
  }

  /** Variables that changed since the last step ended; null for none. */
  #takeVariables(exchange: Exchange): Record<string, { before: string | null; after: string | null }> | null {
    let changed: Record<string, { before: string | null; after: string | null }> | null = null;
    for (const [name, value] of exchange.variables) {
      const known = this.#known.get(name);
      if (known !== undefined && Object.is(known.value, value)) continue;
      if (value instanceof Authorization) this.mask.addSecret(value.accessToken);
      const text = hidesName(name) ? HIDDEN : this.#text(valueText(value));
      if (hidesName(name) && typeof value === "string") this.mask.addSecret(value);
      this.#known.set(name, { value, text });
      if (known === undefined || known.text !== text)
        (changed ??= Object.create(null))[name] = { before: known?.text ?? null, after: text };
    }
    if (this.#known.size > exchange.variables.size) {
      for (const [name, { text }] of this.#known) {
        if (exchange.variables.has(name)) continue;
        this.#known.delete(name);
        (changed ??= Object.create(null))[name] = { before: text, after: null };
      }
    }
    return changed;
  }

  #change(what: string, before: string | null, after: string | null): Record<string, unknown> {
    const header = /\.headers\.(.*)$/.exec(what)?.[1];
    const hidden = header !== undefined && this.mask.hidesHeader(header);
    const show = (value: string | null): string | null => {
      if (value === null) return null;
      if (hidden) {
        this.mask.learnHeaders([header, value]);
        return HIDDEN;
      }
      return what === "request.url" ? this.#url(value) : this.#text(value);
    };
    return { what, before: show(before), after: show(after) };
  }

  #headers(raw: readonly string[]): { name: string; value: string }[] {
    this.mask.learnHeaders(raw);
    const shown: { name: string; value: string }[] = [];
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!;
      shown.push({ name, value: this.mask.hidesHeader(name) ? HIDDEN : this.#text(raw[i + 1]!) });
    }
    return shown;
  }

  #url(url: string): string {
    const at = url.indexOf("?");
    if (at >= 0) this.mask.learnQuery(url.slice(at + 1));
    return this.#text(this.mask.url(url));
  }

  #error(error: unknown): Record<string, unknown> {
    if (error instanceof GatewayError) {
      return {
        source: error.source,
        reason: error.reason,
        message: this.#text(error.message),
        status: error.status,
      };
    }
    return { message: this.#text(error instanceof Error ? error.message : String(error)) };
  }

  /** Strings of plain data, shortened, masked and counted. */
  #shown(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return value.map((one) => this.#shown(one));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#named(name, one)]));
  }

  #named(name: string, value: unknown): unknown {
    if (name === "url" && typeof value === "string") return this.#url(value);
    if (name === "rawHeaders" && Array.isArray(value)) return this.#headers(value as string[]);
    return this.#shown(value);
  }

  #text(text: string): string {
    const masked = this.mask.text(text.length > LONGEST_READ ? text.slice(0, LONGEST_READ) : text);
    const room = Math.max(0, Math.min(LONGEST_TEXT, LARGEST_TRACE - this.#size));
    const shown =
      masked.length > room ? `${masked.slice(0, room).toWellFormed()}… (${text.length} characters)` : masked;
    this.#size += shown.length + 16;
    return shown;
  }

  #masked(value: unknown): unknown {
    if (typeof value === "string") return this.mask.text(value);
    if (Array.isArray(value)) return value.map((one) => this.#masked(one));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#masked(one)]));
  }
}

/** One forward-request may make several attempts: those before the last are kept in a list. */
function setAside(data: Record<string, unknown>): void {
  const earlier: Record<string, unknown> = {};
  for (const name of OF_ATTEMPT) {
    if (!(name in data)) continue;
    earlier[name] = data[name];
    delete data[name];
  }
  ((data["earlierAttempts"] ??= []) as unknown[]).push(earlier);
}

const OF_ATTEMPT = [
  "backend",
  "request",
  "response",
  "failure",
  "microsecondsToHead",
  "microsecondsToFailure",
];

/** A variable as a reader wants it: text as text, a message by its head, other things as .NET prints them. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof ResponseMessage) return `response ${value.statusCode} ${value.statusReason}`.trim();
  if (value instanceof Uint8Array) return `byte[${value.length}]`;
  try {
    beginEvaluation();
    return textOf(value);
  } catch {
    return "(cannot be shown)";
  }
}

function hostText({
  scheme,
  host,
  port,
  path,
}: {
  scheme: string;
  host: string;
  port: number;
  path: string;
}): string {
  const standard = port === (scheme === "https" ? 443 : 80);
  return `${scheme}://${host}${standard ? "" : `:${port}`}${path === "/" ? "" : path}`;
}

function microseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}

/** `hh:mm:ss.fffffff`, seven digits of 100 ns. */
export function timeSpan(ms: number): string {
  const ticks = Math.max(0, Math.round(ms * 10_000));
  const seconds = Math.floor(ticks / 10_000_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const fraction = String(ticks % 10_000_000).padStart(7, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}
