/** Where OTLP goes: the variables that every OpenTelemetry SDK reads, or a logger of type `otlp`. */

export type Signal = "traces" | "metrics" | "logs";

export interface OtlpSettings {
  /** Per signal; null = that signal is not sent. */
  readonly endpoints: Readonly<Record<Signal, OtlpEndpoint | null>>;
  readonly protocol: "http/protobuf" | "http/json";
  readonly resource: Readonly<Record<string, string>>;
  readonly metricIntervalMs: number;
  /** Share of traces that begin here and are recorded, 0 to 1; what a caller decided stays. */
  readonly sampledShare: number;
}

export interface OtlpEndpoint {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** With the signal's path. */
  readonly target: string;
  /** Flat; may hold secrets. */
  readonly headers: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `OTEL_EXPORTER_OTLP_*` and their kin.
 *
 * @returns null when nothing is to be sent; a text that says which variable cannot be used and how it should look
 */
export function readOtlp(environment: Environment): OtlpSettings | string | null {
  if (environment["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return null;
  const base = environment["OTEL_EXPORTER_OTLP_ENDPOINT"]?.trim() ?? "";
  const protocol = environment["OTEL_EXPORTER_OTLP_PROTOCOL"]?.trim() || "http/protobuf";
  if (protocol !== "http/protobuf" && protocol !== "http/json") {
    return `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}; http/protobuf and http/json are spoken here`;
  }
  const headers = readPairs(environment["OTEL_EXPORTER_OTLP_HEADERS"]);
  const endpoints: Record<Signal, OtlpEndpoint | null> = { traces: null, metrics: null, logs: null };
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const name = signal.toUpperCase();
    if (environment[`OTEL_${name}_EXPORTER`]?.trim().toLowerCase() === "none") continue;
    const own = environment[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`]?.trim() ?? "";
    if (own === "" && base === "") continue;
    const endpoint = endpointOf(own === "" ? `${base.replace(/\/+$/, "")}/v1/${signal}` : own, [
      ...headers,
      ...readPairs(environment[`OTEL_EXPORTER_OTLP_${name}_HEADERS`]),
    ]);
    if (endpoint === null) {
      const variable = own === "" ? "OTEL_EXPORTER_OTLP_ENDPOINT" : `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`;
      return `${variable} is no URL; write it like http://collector:4318`;
    }
    endpoints[signal] = endpoint;
  }
  if (Object.values(endpoints).every((endpoint) => endpoint === null)) return null;
  const interval = Number(environment["OTEL_METRIC_EXPORT_INTERVAL"] ?? 60_000);
  return {
    endpoints,
    protocol,
    resource: {
      "service.name": "headgate",
      ...Object.fromEntries(pairsOf(environment["OTEL_RESOURCE_ATTRIBUTES"])),
      ...(environment["OTEL_SERVICE_NAME"] ? { "service.name": environment["OTEL_SERVICE_NAME"] } : {}),
    },
    metricIntervalMs: interval >= 100 ? interval : 60_000,
    sampledShare: shareOf(environment["OTEL_TRACES_SAMPLER"], environment["OTEL_TRACES_SAMPLER_ARG"]),
  };
}

/** @returns null for what is no absolute http or https URL */
export function endpointOf(text: string, headers: readonly string[]): OtlpEndpoint | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const scheme = url.protocol === "https:" ? "https" : "http";
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port),
    target: url.pathname + url.search,
    headers: ["Host", url.host, ...headers],
  };
}

function shareOf(sampler: string | undefined, argument: string | undefined): number {
  const kind = sampler?.toLowerCase() ?? "parentbased_always_on";
  if (kind.endsWith("always_off")) return 0;
  if (!kind.endsWith("traceidratio")) return 1;
  const share = Number(argument ?? 1);
  return share >= 0 && share <= 1 ? share : 1;
}

/** `a=b,c=d`, percent-encoded, as the specification of the SDKs has it; flat. */
function readPairs(text: string | undefined): string[] {
  return pairsOf(text).flat();
}

function pairsOf(text: string | undefined): [string, string][] {
  return (text ?? "").split(",").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    if (at <= 0) return [];
    return [[decoded(pair.slice(0, at).trim()), decoded(pair.slice(at + 1).trim())]];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
