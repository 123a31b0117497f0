/**
 * Our records as Application Insights takes them: one envelope each, with `RequestData`, `RemoteDependencyData`,
 * `MessageData`, `ExceptionData` or `MetricData` in it. Lengths are those of the ingestion service; what is longer is cut,
 * because the service would refuse the whole envelope.
 *
 * Source: "Application Insights telemetry data model", and the schemas of its SDKs
 */
import type { AttemptDetail, LogRow } from "../../diagnostic.ts";

/** One envelope to be. What is dear to make is made when it is sent. */
export type Telemetry =
  | { readonly kind: "request" | "exception" | "llm" | "row"; readonly row: LogRow }
  | { readonly kind: "dependency" | "message"; readonly row: LogRow; readonly index: number }
  | { readonly kind: "metric"; readonly metric: GatheredMetric };

/** What policies measured under one name and with the same dimensions. */
export interface GatheredMetric {
  readonly timeMs: number;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly values: readonly string[];
  sum: number;
  count: number;
  min: number;
  max: number;
}

export interface EnvelopeWorld {
  readonly instrumentationKey: string;
  /** `ai.cloud.role`: the name of this gateway on the application map. */
  readonly role: string;
  readonly instance: string;
}

const LONGEST = {
  name: 1024,
  id: 512,
  url: 2048,
  data: 8192,
  message: 32_768,
  key: 150,
  value: 8192,
  namespace: 256,
  operationName: 1024,
} as const;
const SEVERITIES: Readonly<Record<string, number>> = { verbose: 0, information: 1, error: 3 };
const ERROR = 3;
const INFORMATION = 1;

type Properties = Record<string, string>;

export function envelopeOf(telemetry: Telemetry, world: EnvelopeWorld): object {
  if (telemetry.kind === "metric") return metricEnvelope(telemetry.metric, world);
  const { row } = telemetry;
  switch (telemetry.kind) {
    case "request":
      return requestEnvelope(row, world);
    case "dependency":
      return dependencyEnvelope(row, row.detail!.attempts[telemetry.index]!, world);
    case "message":
      return messageEnvelope(row, (row.columns["TraceRecords"] as TraceColumn[])[telemetry.index]!, world);
    case "exception":
      return exceptionEnvelope(row, world);
    default:
      return rowEnvelope(row, world);
  }
}

interface TraceColumn {
  readonly source: string;
  readonly severity: string;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

function requestEnvelope(row: LogRow, world: EnvelopeWorld): object {
  const { columns, detail } = row;
  const properties = propertiesOf(row, {
    "HTTP Method": columns["Method"],
    "Request-Id": row.correlationId,
    Cache: columns["Cache"],
    "Request-Body": columns["RequestBody"],
    "Response-Body": columns["ResponseBody"],
  });
  headersInto(properties, "Request", columns["RequestHeaders"]);
  headersInto(properties, "Response", columns["ResponseHeaders"]);
  return envelope(row, world, "Request", row.timeMs, {
    id: detail!.spanId,
    name: cut(detail!.name, LONGEST.name),
    duration: timeSpan(Number(columns["TotalTime"] ?? 0)),
    responseCode: String(columns["ResponseCode"] ?? ""),
    success: columns["IsRequestSuccess"] === true,
    url: cut(String(columns["Url"] ?? ""), LONGEST.url),
    properties,
    measurements: {
      "Request Size": Number(columns["RequestSize"] ?? 0),
      "Response Size": Number(columns["ResponseSize"] ?? 0),
    },
  });
}

function dependencyEnvelope(row: LogRow, attempt: AttemptDetail, world: EnvelopeWorld): object {
  const url = URL.canParse(attempt.url) ? new URL(attempt.url) : null;
  const { status } = attempt;
  const properties = propertiesOf(row, { "Backend ID": attempt.backendId, Error: attempt.error });
  headersInto(properties, "Request", row.columns["BackendRequestHeaders"]);
  return envelope(
    row,
    world,
    "RemoteDependency",
    row.timeMs + attempt.startedMs,
    {
      id: attempt.spanId,
      name: cut(`${attempt.method} ${url?.pathname ?? ""}`.trim(), LONGEST.name),
      type: "HTTP",
      target: cut(url?.host ?? "", LONGEST.name),
      data: cut(attempt.url, LONGEST.data),
      duration: timeSpan(attempt.durationMs),
      resultCode: status === null ? (attempt.error ?? "") : String(status),
      success: status !== null && attempt.error === null && status < 400,
      properties,
    },
    row.detail!.spanId,
  );
}

/** What a `trace` policy said: it is always told, so each stands for itself alone. */
function messageEnvelope(row: LogRow, record: TraceColumn, world: EnvelopeWorld): object {
  const message = {
    message: cut(record.message, LONGEST.message),
    severityLevel: SEVERITIES[record.severity] ?? INFORMATION,
    properties: propertiesOf(row, { Source: record.source, ...record.metadata }),
  };
  const told = envelope(row, world, "Message", row.timeMs, message, row.detail!.spanId);
  return { ...told, sampleRate: 100 };
}

function exceptionEnvelope(row: LogRow, world: EnvelopeWorld): object {
  const { columns } = row;
  const [first] = (columns["Errors"] as { source?: string; reason?: string; message?: string }[]) ?? [];
  const reason = first?.reason ?? columns["LastErrorReason"] ?? "Error";
  return envelope(
    row,
    world,
    "Exception",
    row.timeMs,
    {
      exceptions: [
        {
          typeName: cut(String(reason), LONGEST.name),
          message: cut(String(first?.message ?? columns["LastErrorMessage"] ?? reason), LONGEST.message),
          hasFullStack: false,
        },
      ],
      severityLevel: ERROR,
      properties: propertiesOf(row, {
        Source: first?.source ?? columns["LastErrorSource"],
        Section: columns["LastErrorSection"],
        Scope: columns["LastErrorScope"],
      }),
    },
    row.detail!.spanId,
  );
}

/** Rows of the other tables are messages: their content is the text, their columns are properties. */
function rowEnvelope(row: LogRow, world: EnvelopeWorld): object {
  const { RequestMessages, ResponseMessages, ...columns } = row.columns;
  const content = RequestMessages ?? ResponseMessages;
  const kind =
    RequestMessages !== undefined ? "prompt" : ResponseMessages !== undefined ? "completion" : undefined;
  return envelope(
    row,
    world,
    "Message",
    row.timeMs,
    {
      message: content === undefined ? row.category : cut(String(content), LONGEST.message),
      severityLevel: INFORMATION,
      properties: propertiesOf(row, { Category: row.category, Content: kind, ...columns }),
    },
    row.detail?.spanId,
  );
}

function metricEnvelope(metric: GatheredMetric, world: EnvelopeWorld): object {
  const { namespace, name, sum, count, min, max } = metric;
  const properties: Properties = {};
  metric.dimensions.forEach((dimension, i) => put(properties, dimension, metric.values[i]));
  return {
    name: "Microsoft.ApplicationInsights.Metric",
    time: new Date(metric.timeMs).toISOString(),
    sampleRate: 100,
    iKey: world.instrumentationKey,
    tags: tagsOf(world),
    data: {
      baseType: "MetricData",
      baseData: {
        ver: 2,
        metrics: [
          {
            name: cut(name, LONGEST.name),
            ns: cut(namespace, LONGEST.namespace),
            kind: "Aggregation",
            value: sum,
            count,
            min,
            max,
          },
        ],
        properties,
      },
    },
  };
}

function envelope(
  row: LogRow,
  world: EnvelopeWorld,
  type: string,
  timeMs: number,
  baseData: object,
  parent: string | null | undefined = row.detail?.parentSpanId,
): object {
  const { detail } = row;
  const ip = row.columns["CallerIpAddress"];
  return {
    name: `Microsoft.ApplicationInsights.${type}`,
    time: new Date(timeMs).toISOString(),
    sampleRate: detail?.percentage ?? 100,
    iKey: world.instrumentationKey,
    tags: {
      ...tagsOf(world),
      ...(detail === undefined
        ? { "ai.operation.id": row.correlationId }
        : {
            "ai.operation.id": detail.traceId,
            "ai.operation.name": cut(detail.name, LONGEST.operationName),
          }),
      ...(parent == null ? {} : { "ai.operation.parentId": parent }),
      // Without an address the service would take the gateway's own for the caller's.
      "ai.location.ip": typeof ip === "string" ? ip : "0.0.0.0",
    },
    data: { baseType: `${type}Data`, baseData: { ver: 2, ...baseData } },
  };
}

function tagsOf({ role, instance }: EnvelopeWorld): Record<string, string> {
  return { "ai.cloud.role": role, "ai.cloud.roleInstance": instance, "ai.internal.sdkVersion": "headgate" };
}

/** What every record of a request says of it, and `more`. */
function propertiesOf({ columns }: LogRow, more: Readonly<Record<string, unknown>>): Properties {
  const properties: Properties = {};
  put(properties, "Service Type", "API Management");
  put(properties, "Region", columns["Region"]);
  put(properties, "API Name", columns["ApiId"]);
  put(properties, "API Revision", columns["ApiRevision"]);
  put(properties, "Operation Name", columns["OperationId"]);
  put(properties, "Product Name", columns["ProductId"]);
  put(properties, "Subscription Name", columns["ApimSubscriptionId"]);
  put(properties, "User Name", columns["UserId"]);
  for (const [name, value] of Object.entries(more)) put(properties, name, value);
  return properties;
}

function headersInto(properties: Properties, prefix: string, headers: unknown): void {
  if (typeof headers !== "object" || headers === null) return;
  for (const [name, value] of Object.entries(headers)) put(properties, `${prefix}-${name}`, value);
}

function put(properties: Properties, name: string, value: unknown): void {
  if (value === undefined || value === null || value === "" || name === "") return;
  const text =
    typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : String(value);
  Object.defineProperty(properties, cut(name, LONGEST.key), {
    value: cut(text, LONGEST.value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const high = text.charCodeAt(longest - 1);
  // Half a character would be no text any more.
  return text.slice(0, high >= 0xd800 && high <= 0xdbff ? longest - 1 : longest);
}

/** `d.hh:mm:ss.fff`, as .NET writes a span of time. */
export function timeSpan(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (value: number): string => String(value).padStart(2, "0");
  const days = Math.min(999, Math.floor(whole / 86_400_000));
  const rest = whole % 86_400_000;
  const [hours, minutes] = [Math.floor(rest / 3_600_000), Math.floor((rest % 3_600_000) / 60_000)];
  const seconds = Math.floor((rest % 60_000) / 1000);
  return `${days === 0 ? "" : `${days}.`}${two(hours)}:${two(minutes)}:${two(seconds)}.${String(rest % 1000).padStart(3, "0")}`;
}
