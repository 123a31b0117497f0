/**
 * One exporter for each sink that loggers name, made when the first record comes. Exporters outlive configurations: a
 * change elsewhere does not lose what waits for a sink, and two loggers for the same sink share one queue.
 */
import type { LogRow } from "./diagnostic.ts";
import { AppInsightsExporter } from "./exporters/application-insights/application-insights.ts";
import { createEventHubExporter } from "./exporters/event-hub/event-hub.ts";
import { FileExporter } from "./exporters/file/file.ts";
import { OtlpExporter } from "./exporters/otlp/otlp.ts";
import type { OtlpSettings } from "./exporters/otlp/settings.ts";
import type {
  AppInsightsLogger,
  EventHubLogger,
  ExporterWorld,
  FileLogger,
  HubEvent,
  Logger,
  Sink,
} from "./logger.ts";
import type { Measure } from "./metrics/measures.ts";

export class Loggers {
  readonly #world: ExporterWorld;
  /** By the loggers' keys. */
  readonly #sinks = new Map<string, Sink>();
  /** Ends of those that no configuration names any more. */
  readonly #leaving = new Map<Sink, () => void>();
  /** What those have counted that are gone. */
  readonly #gone = { added: 0, sent: 0, dropped: 0 };
  #closed = false;

  constructor(world: ExporterWorld) {
    this.#world = world;
  }

  /** Never waits and never throws. */
  sendEvent(logger: EventHubLogger, event: HubEvent): void {
    this.#sink(logger, createEventHubExporter).send(event);
  }

  /** A row of a diagnostic. Never waits and never throws; loggers that take none are passed over. */
  sendRow(logger: Logger, row: LogRow): void {
    switch (logger.kind) {
      case "otlp":
        return this.#sink(logger, otlpExporter).addLog(row);
      case "application-insights":
        return this.#sink(logger, appInsightsExporter).addRow(row);
      case "file":
        return this.#sink(logger, fileExporter).addRow(row);
      case "event-hub":
        return this.sendEvent(logger, eventOf(row));
    }
  }

  /** What a policy measured; loggers that take no metrics are passed over. */
  sendMeasure(logger: Logger, measure: Measure): void {
    if (logger.kind === "application-insights") this.#sink(logger, appInsightsExporter).addMeasure(measure);
  }

  #sink<L extends { readonly key: string; readonly kind: string }, S extends Sink>(
    logger: L,
    open: (logger: L, world: ExporterWorld) => S,
  ): S {
    const key = `${logger.kind} ${logger.key}`;
    let sink = this.#sinks.get(key) as S | undefined;
    if (sink === undefined) {
      this.#sinks.set(key, (sink = open(logger, this.#world)));
      if (this.#closed) sink.close();
    }
    return sink;
  }

  /** A new configuration: sinks that it does not name send what they have and end. */
  use(loggers: Iterable<Logger>): void {
    const named = new Set<string>();
    for (const logger of loggers) if (logger.kind !== "other") named.add(`${logger.kind} ${logger.key}`);
    for (const [key, sink] of this.#sinks) {
      if (named.has(key)) continue;
      this.#sinks.delete(key);
      this.#sayFarewell(sink);
    }
  }

  /** It may send what it has; one that cannot be reached is not waited for for ever. */
  #sayFarewell(sink: Sink): void {
    const end = (): void => {
      if (!this.#leaving.delete(sink)) return;
      stop();
      sink.close();
      const { added, sent, dropped } = sink.state;
      this.#gone.added += added;
      this.#gone.sent += sent;
      this.#gone.dropped += dropped;
    };
    const stop = this.#world.clock.after(FAREWELL_MS, end);
    this.#leaving.set(sink, end);
    void sink.flush().then(end);
  }

  /** Sinks whose last try failed. */
  get failing(): number {
    return [...this.#sinks.values()].filter(({ state }) => state.isFailing).length;
  }

  /** Records of all sinks: how many came, went, were given up and wait. */
  get totals(): {
    readonly added: number;
    readonly sent: number;
    readonly dropped: number;
    readonly waiting: number;
  } {
    const totals = { ...this.#gone, waiting: 0 };
    for (const sink of [...this.#sinks.values(), ...this.#leaving.keys()]) {
      const { added, sent, dropped, waiting } = sink.state;
      totals.added += added;
      totals.sent += sent;
      totals.dropped += dropped;
      totals.waiting += waiting;
    }
    return totals;
  }

  /** Sends what is waiting; resolves when it is out. */
  async flush(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map((sink) => sink.flush()));
  }

  /** What comes from now on is dropped, and counted. */
  close(): void {
    this.#closed = true;
    for (const sink of this.#sinks.values()) sink.close();
    for (const end of this.#leaving.values()) end();
  }
}

const FAREWELL_MS = 30_000;

const otlpExporter = (
  { settings }: { readonly settings: OtlpSettings },
  world: ExporterWorld,
): OtlpExporter => new OtlpExporter(settings, world);
const appInsightsExporter = (logger: AppInsightsLogger, world: ExporterWorld): AppInsightsExporter =>
  new AppInsightsExporter(logger, world);
const fileExporter = (logger: FileLogger, world: ExporterWorld): FileExporter =>
  new FileExporter(logger, world);

/** As Azure's diagnostic settings write to a hub. */
function eventOf(row: LogRow): HubEvent {
  const time = new Date(row.timeMs).toISOString();
  const body = JSON.stringify({ records: [{ time, category: row.category, ...row.columns }] });
  return { body, sizeBytes: Buffer.byteLength(body), partitionId: null, partitionKey: null };
}
