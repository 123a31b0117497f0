/** `loggers` → sinks that policies write to. Credentials may be named values. */
import type { LoggerProperties } from "../contract/telemetry.ts";
import type { Resource } from "../contract/resource.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import { readOtlp } from "../telemetry/exporters/otlp/settings.ts";
import {
  type AppInsightsSettings,
  readConnectionString,
} from "../telemetry/exporters/application-insights/settings.ts";
import { readFileSettings } from "../telemetry/exporters/file/settings.ts";
import type {
  AppInsightsLogger,
  EventHubLogger,
  FileLogger,
  Logger,
  OtlpLogger,
} from "../telemetry/logger.ts";
import { parsePlace, parseSasConnection } from "../telemetry/sas.ts";
import type { Fill } from "./backends.ts";
import type { Reporter } from "./report.ts";

/** @returns by lower-case name */
export function buildLoggers(resources: ResourceSet, fill: Fill, report: Reporter): Map<string, Logger> {
  const loggers = new Map<string, Logger>();
  for (const resource of resources.ofType("loggers")) {
    const type = resource.properties.loggerType ?? "";
    const build = BUILDERS[type.toLowerCase()];
    const logger = build?.(resource, fill, report) ?? null;
    if (build === undefined)
      loggers.set(resource.name.toLowerCase(), { kind: "other", id: resource.name, type });
    if (logger !== null) loggers.set(resource.name.toLowerCase(), logger);
  }
  return loggers;
}

type Build = (resource: Resource<LoggerProperties>, fill: Fill, report: Reporter) => Logger | null;

/** By type, in lower case; a logger of another type is only known by name. */
const BUILDERS: Readonly<Record<string, Build>> = {
  azureeventhub: eventHub,
  applicationinsights: appInsights,
  otlp,
  file,
};

/** The credentials under `keys` with named values filled in; null when a named value is missing, which has been reported. */
function filled<K extends string>(
  { id, properties }: Resource<LoggerProperties>,
  keys: readonly K[],
  fill: Fill,
): Record<K, string | undefined> | null {
  const found = {} as Record<K, string | undefined>;
  for (const key of keys) {
    const given = properties.credentials?.[key];
    const value = given === undefined ? undefined : fill(given, id, ["credentials", key]);
    if (value === null) return null;
    found[key] = value;
  }
  return found;
}

/** `connectionString`, or `instrumentationKey` alone; with `identityClientId` the gateway's identity signs in. */
function appInsights(
  resource: Resource<LoggerProperties>,
  fill: Fill,
  report: Reporter,
): AppInsightsLogger | null {
  const { id, name, properties } = resource;
  const given = filled(
    resource,
    ["connectionString", "instrumentationKey", "identityClientId"] as const,
    fill,
  );
  if (given === null) return null;
  const { connectionString, instrumentationKey, identityClientId } = given;
  const [key, text] =
    connectionString !== undefined
      ? ["connectionString", connectionString]
      : ["instrumentationKey", `InstrumentationKey=${(instrumentationKey ?? "").trim()}`];
  const read = readConnectionString(text);
  if (typeof read === "string") {
    const reason =
      connectionString !== undefined
        ? `of its connection string, ${read}`
        : instrumentationKey === undefined
          ? "it has neither a connectionString nor an instrumentationKey"
          : read;
    const hint = "give the `connectionString` of the Application Insights resource";
    report.error("HG5507", { logger: name, reason }, id, ["credentials", key], hint);
    return null;
  }
  const settings: AppInsightsSettings = {
    ...read,
    identity:
      identityClientId === undefined
        ? null
        : { clientId: /^systemassigned$/i.test(identityClientId) ? null : identityClientId },
    isBuffered: properties.isBuffered ?? true,
  };
  return {
    kind: "application-insights",
    id: name,
    type: "applicationInsights",
    settings,
    key: JSON.stringify(settings),
  };
}

/** Ours: `path`, and how much is kept. */
function file(resource: Resource<LoggerProperties>, fill: Fill, report: Reporter): FileLogger | null {
  const { id, name } = resource;
  const given = filled(resource, ["path", "maxFileMb", "keepDays", "keepFiles"] as const, fill);
  if (given === null) return null;
  const settings = readFileSettings(given);
  if ("reason" in settings) {
    const { key, reason } = settings;
    const hint = "give `path`, the folder that the files are written to";
    report.error("HG5507", { logger: name, reason }, id, ["credentials", key], hint);
    return null;
  }
  return { kind: "file", id: name, type: "file", settings, key: JSON.stringify([name, settings]) };
}

/** Ours: `endpoint` as OTEL_EXPORTER_OTLP_ENDPOINT has it, `headers` as `a=b,c=d`, `protocol`. */
function otlp(
  { id, name, properties }: Resource<LoggerProperties>,
  fill: Fill,
  report: Reporter,
): OtlpLogger | null {
  const { credentials = {} } = properties;
  const taken = (key: string): string | null | undefined =>
    credentials[key] === undefined ? undefined : fill(credentials[key], id, ["credentials", key]);
  const [endpoint, headers, protocol] = [taken("endpoint"), taken("headers"), taken("protocol")];
  if ([endpoint, headers, protocol].includes(null)) return null;
  const settings = readOtlp({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint ?? "",
    OTEL_EXPORTER_OTLP_HEADERS: headers ?? "",
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol ?? "",
  });
  if (settings === null || typeof settings === "string") {
    const reason = settings === null ? "it has no endpoint" : settings;
    report.error("HG5507", { logger: name, reason }, id, ["credentials", "endpoint"]);
    return null;
  }
  return { kind: "otlp", id: name, type: "otlp", settings, key: JSON.stringify(settings) };
}

/** A connection string, or the address of the namespace with the gateway's own identity. */
function eventHub(
  { id, name, properties }: Resource<LoggerProperties>,
  fill: Fill,
  report: Reporter,
): EventHubLogger | null {
  const { credentials = {} } = properties;
  const taken = (key: string): string | null | undefined =>
    credentials[key] === undefined ? undefined : fill(credentials[key], id, ["credentials", key]);
  const [connectionString, given, address, identity] = [
    taken("connectionString"),
    taken("name"),
    taken("endpointAddress"),
    taken("identityClientId"),
  ];
  // The name of a missing named value has been reported.
  if ([connectionString, given, address, identity].includes(null)) return null;
  const refuse = (reason: string, key: string): null => {
    report.error("HG5507", { logger: name, reason }, id, ["credentials", key]);
    return null;
  };
  const nameOf = (entityPath: string | null): string => (given ?? "").trim() || (entityPath ?? "");
  if (connectionString !== undefined) {
    const connection = parseSasConnection(connectionString!);
    if (typeof connection === "string")
      return refuse(`of its connection string, ${connection}`, "connectionString");
    const hub = nameOf(connection.entityPath);
    if (hub === "") return refuse("it does not name the hub", "connectionString");
    const { place, credential } = connection;
    return {
      kind: "event-hub",
      id: name,
      place,
      hub,
      credential,
      key: JSON.stringify([place, hub, credential]),
    };
  }
  if (address === undefined)
    return refuse("it has neither a connectionString nor an endpointAddress", "name");
  const place = parsePlace(address!);
  if (place === null) return refuse("its endpointAddress is not the host of a namespace", "endpointAddress");
  const hub = nameOf(null);
  if (hub === "") return refuse("it does not name the hub", "name");
  const clientId = identity === undefined || /^systemassigned$/i.test(identity!) ? null : identity!;
  const credential = { kind: "identity", clientId } as const;
  return {
    kind: "event-hub",
    id: name,
    place,
    hub,
    credential,
    key: JSON.stringify([place, hub, credential]),
  };
}
