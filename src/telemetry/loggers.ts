/**
 * One exporter for each sink that loggers name, made when the first record comes. Exporters outlive configurations: a
 * change elsewhere does not lose what waits for a sink, and two loggers for the same sink share one queue.
 */
import { type ExporterWorld, createEventHubExporter } from "./exporters/event-hub/event-hub.ts";
import type { LogRow } from "./diagnostic.ts";
import { OtlpExporter } from "./exporters/otlp/otlp.ts";
import type { EventHubLogger, Exporter, HubEvent, Logger, OtlpLogger } from "./logger.ts";

export class Loggers {
  readonly #world: ExporterWorld;
  readonly #collectors = new Map<string, OtlpExporter>();
  readonly #exporters = new Map<string, Exporter<HubEvent>>();
  /** Ends of those that no configuration names any more. */
  readonly #leaving = new Set<() => void>();

  constructor(world: ExporterWorld) {
    this.#world = world;
  }

  /** Never waits and never throws. */
  sendEvent(logger: EventHubLogger, event: HubEvent): void {
    let exporter = this.#exporters.get(logger.key);
    if (exporter === undefined)
      this.#exporters.set(logger.key, (exporter = createEventHubExporter(logger, this.#world)));
    exporter.send(event);
  }

  #otlp({ key, settings }: OtlpLogger): OtlpExporter {
    let collector = this.#collectors.get(key);
    if (collector === undefined)
      this.#collectors.set(key, (collector = new OtlpExporter(settings, this.#world)));
    return collector;
  }

  /** A row of a diagnostic. Never waits and never throws; loggers that take none are passed over. */
  sendRow(logger: Logger, row: LogRow): void {
    if (logger.kind === "otlp") return this.#otlp(logger).addLog(row);
    if (logger.kind !== "event-hub") return;
    const time = new Date(row.timeMs).toISOString();
    const body = JSON.stringify({ records: [{ time, category: row.category, ...row.columns }] });
    this.sendEvent(logger, {
      body,
      sizeBytes: Buffer.byteLength(body),
      partitionId: null,
      partitionKey: null,
    });
  }

  /** A new configuration: sinks that it does not name send what they have and end. */
  use(loggers: Iterable<Logger>): void {
    const named = new Set<string>();
    for (const logger of loggers) if (logger.kind !== "other") named.add(logger.key);
    for (const [key, collector] of this.#collectors) {
      if (named.has(key)) continue;
      this.#collectors.delete(key);
      this.#sayFarewell(collector);
    }
    for (const [key, exporter] of this.#exporters) {
      if (named.has(key)) continue;
      this.#exporters.delete(key);
      this.#sayFarewell(exporter);
    }
  }

  /** It may send what it has; one that cannot be reached is not waited for for ever. */
  #sayFarewell(exporter: Pick<Exporter<never>, "flush" | "close">): void {
    const end = (): void => {
      stop();
      this.#leaving.delete(end);
      exporter.close();
    };
    const stop = this.#world.clock.after(FAREWELL_MS, end);
    this.#leaving.add(end);
    void exporter.flush().then(end);
  }

  /** Sinks whose last try failed. */
  get failing(): number {
    const sinks = [...this.#exporters.values(), ...this.#collectors.values()];
    return sinks.filter((sink) => sink.isFailing).length;
  }

  /** Records of all sinks: how many came, went, were given up and wait. */
  get totals(): {
    readonly added: number;
    readonly sent: number;
    readonly dropped: number;
    readonly waiting: number;
  } {
    const totals = { added: 0, sent: 0, dropped: 0, waiting: 0 };
    for (const exporter of this.#exporters.values()) {
      totals.added += exporter.added;
      totals.sent += exporter.sent;
      totals.dropped += exporter.dropped;
      totals.waiting += exporter.waiting;
    }
    for (const collector of this.#collectors.values()) totals.dropped += collector.dropped;
    return totals;
  }

  /** Sends what is waiting; resolves when it is out. */
  async flush(): Promise<void> {
    const sinks = [...this.#exporters.values(), ...this.#collectors.values()];
    await Promise.all(sinks.map((sink) => sink.flush()));
  }

  close(): void {
    for (const exporter of this.#exporters.values()) exporter.close();
    for (const collector of this.#collectors.values()) collector.close();
    for (const end of this.#leaving) end();
    this.#exporters.clear();
  }
}

const FAREWELL_MS = 30_000;
