/** `loggers` resources as the gateway uses them, and what an exporter is. */
import type { Clock } from "../base/clock.ts";
import type { Client } from "../transport/transport.ts";
import type { Report } from "./delivery.ts";
import type { OtlpSettings } from "./exporters/otlp/settings.ts";
import type { AppInsightsSettings } from "./exporters/application-insights/settings.ts";
import type { FileSettings } from "./exporters/file/settings.ts";
import type { SasCredential, ServicePlace } from "./sas.ts";

export type Logger = EventHubLogger | OtlpLogger | AppInsightsLogger | FileLogger | OtherLogger;

/** Requests, dependencies, traces, exceptions and metrics in the form of Application Insights. */
export interface AppInsightsLogger {
  readonly kind: "application-insights";
  readonly id: string;
  readonly type: string;
  readonly settings: AppInsightsSettings;
  /** The same for the same resource with the same credential; holds a secret. */
  readonly key: string;
}

/** Ours: rows of diagnostics as lines of JSON. */
export interface FileLogger {
  readonly kind: "file";
  readonly id: string;
  readonly type: string;
  readonly settings: FileSettings;
  readonly key: string;
}

/** Ours: rows of diagnostics as log records of OTLP. */
export interface OtlpLogger {
  readonly kind: "otlp";
  readonly id: string;
  readonly type: string;
  readonly settings: OtlpSettings;
  /** The same for the same collector; may hold a secret. */
  readonly key: string;
}

export interface EventHubLogger {
  readonly kind: "event-hub";
  readonly id: string;
  readonly place: ServicePlace;
  readonly hub: string;
  readonly credential: SasCredential | { readonly kind: "identity"; readonly clientId: string | null };
  /** The same for the same sink with the same credential; holds a secret. */
  readonly key: string;
}

/** Of a type that no policy here writes to. */
export interface OtherLogger {
  readonly kind: "other";
  readonly id: string;
  /** As the resource says it. */
  readonly type: string;
}

/** What `log-to-eventhub` sends. */
export interface HubEvent {
  readonly body: string;
  /** Octets of `body`. */
  readonly sizeBytes: number;
  readonly partitionId: string | null;
  readonly partitionKey: string | null;
}

/** What exporters reach of the outside. */
export interface ExporterWorld {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
  /** A token of the gateway's own identity for `resource`. */
  readonly azureToken: (resource: string, clientId: string | null) => string | Promise<string>;
  /** Where relative folders of file loggers are; null: nowhere. */
  readonly dataDir?: string | null;
  /** What this gateway and this process of it are called on maps. */
  readonly role?: string;
  readonly instance?: string;
}

/** How a sink is doing, in records: `added = sent + dropped + waiting`. */
export interface SinkState {
  readonly added: number;
  readonly sent: number;
  readonly dropped: number;
  readonly waiting: number;
  /** The last try failed. */
  readonly isFailing: boolean;
}

/** Where records go. */
export interface Sink {
  readonly state: SinkState;
  /** Resolves when nothing is waiting. */
  flush(): Promise<void>;
  /** Gives up what is waiting. */
  close(): void;
}

/** Where an exporter's records go. */
export interface Exporter<T> extends Sink {
  /** Never waits and never throws. */
  send(record: T): void;
}
