/** Our records in the shapes that OpenTelemetry's serializers take. */
import type { MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { Resource } from "@opentelemetry/resources";
import type { LogRow } from "../../diagnostic.ts";
import type { Family, Metrics, Series } from "../../metrics/registry.ts";
import type { Span } from "../../span.ts";

type HrTime = [seconds: number, nanoseconds: number];

const OWN_SCOPE = "headgate";
// Values of the SDK's enumerations, which are loaded only when something is sent.
const DOUBLE = 1;
const CUMULATIVE = 1;
const POINTS = { histogram: 0, gauge: 2, sum: 3 } as const;
const KINDS = { internal: 0, server: 1, client: 2 } as const;
const STATUS = { unset: 0, error: 2 } as const;
const INFO = 9;

export function resourceOf(attributes: Readonly<Record<string, string>>): Resource {
  return {
    attributes,
    asyncAttributesPending: false,
    merge: (other: Resource | null) => other ?? resourceOf(attributes),
    getRawAttributes: () => Object.entries(attributes),
  } as unknown as Resource;
}

/** @returns null when nothing has been recorded yet */
export function metricsOf(metrics: Metrics, resource: Resource, nowMs: number): ResourceMetrics | null {
  const scopes = new Map<string, MetricData[]>();
  const start = hrTime(metrics.sinceMs);
  const end = hrTime(nowMs);
  for (const family of metrics.families()) {
    if (family.size === 0) continue;
    const scope = family.options.scope ?? OWN_SCOPE;
    let list = scopes.get(scope);
    if (list === undefined) scopes.set(scope, (list = []));
    list.push(metricOf(family, start, end));
  }
  if (scopes.size === 0) return null;
  return {
    resource,
    scopeMetrics: [...scopes].map(([name, list]) => ({ scope: { name }, metrics: list })),
  };
}

function metricOf(family: Family, startTime: HrTime, endTime: HrTime): MetricData {
  const { options, kind } = family;
  const names = options.otlpLabels ?? options.labels;
  const point = (series: Series, value: unknown): object => ({
    startTime,
    endTime,
    attributes: attributesOf(names, series.values),
    value,
  });
  const points = [...family.series].map((series) =>
    kind === "counter" || kind === "gauge"
      ? point(series, series.sum)
      : point(series, {
          buckets: {
            boundaries: options.bounds ?? [],
            counts: series.buckets ?? [series.count],
          },
          sum: series.sum,
          count: series.count,
          min: series.count === 0 ? 0 : series.min,
          max: series.count === 0 ? 0 : series.max,
        }),
  );
  return {
    descriptor: {
      name: options.otlpName ?? options.name,
      description: options.help,
      unit: options.unit,
      valueType: DOUBLE,
    },
    aggregationTemporality: CUMULATIVE,
    dataPointType: kind === "counter" ? POINTS.sum : kind === "gauge" ? POINTS.gauge : POINTS.histogram,
    ...(kind === "counter" ? { isMonotonic: true } : {}),
    dataPoints: points,
  } as unknown as MetricData;
}

/** Empty values are absent ones. */
/** Labels are texts; by the conventions these are numbers. */
const NUMBERS: ReadonlySet<string> = new Set(["http.response.status_code"]);

function attributesOf(names: readonly string[], values: readonly string[]): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  names.forEach((name, i) => {
    const value = values[i];
    if (value === undefined || value === "") return;
    attributes[name] = NUMBERS.has(name) && /^\d+$/.test(value) ? Number(value) : value;
  });
  return attributes;
}

export function spanOf(span: Span, resource: Resource): ReadableSpan {
  const context = (spanId: string): object => ({ traceId: span.traceId, spanId, traceFlags: 1 });
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context(span.spanId),
    parentSpanContext: span.parentSpanId === null ? undefined : context(span.parentSpanId),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.endMs),
    duration: hrTime(span.endMs - span.startMs),
    ended: true,
    status: span.error === null ? { code: STATUS.unset } : { code: STATUS.error, message: span.error },
    attributes: span.attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: { name: OWN_SCOPE },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan;
}

/** A row of Azure's tables: the category is the event's name, columns are attributes, content is the body. */
export function logOf(row: LogRow, resource: Resource): ReadableLogRecord {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row.columns)) {
    if (value === undefined || value === null) continue;
    attributes[name] = typeof value === "object" ? JSON.stringify(value) : value;
  }
  const time = hrTime(row.timeMs);
  return {
    hrTime: time,
    hrTimeObserved: time,
    severityNumber: INFO,
    severityText: "INFO",
    eventName: row.category,
    body: row.category,
    attributes,
    resource,
    instrumentationScope: { name: OWN_SCOPE },
    droppedAttributesCount: 0,
  } as unknown as ReadableLogRecord;
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
