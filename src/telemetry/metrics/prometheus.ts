/** The text that a Prometheus scrapes: exposition format 0.0.4, or OpenMetrics 1.0 with exemplars for whoever asks for it. */
import type { Exemplar, Family, Metrics, Series } from "./registry.ts";

const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** @param accept what the scraper takes */
export function exposition(metrics: Metrics, accept: string): Exposition {
  return /\bapplication\/openmetrics-text\b/i.test(accept)
    ? { contentType: OPENMETRICS_TYPE, body: openMetricsText(metrics) }
    : { contentType: PROMETHEUS_TYPE, body: prometheusText(metrics) };
}

export function prometheusText(metrics: Metrics): string {
  const lines = exposed(metrics, false);
  return lines.length === 0 ? "" : lines.join("\n") + "\n";
}

export function openMetricsText(metrics: Metrics): string {
  return [...exposed(metrics, true), "# EOF", ""].join("\n");
}

function exposed(metrics: Metrics, open: boolean): string[] {
  const byName = new Map<string, Family[]>();
  for (const family of metrics.families()) {
    const same = byName.get(family.options.name);
    if (same === undefined) byName.set(family.options.name, [family]);
    else if (same[0]!.kind === family.kind) same.push(family);
  }
  const lines: string[] = [];
  for (const [name, families] of byName) {
    // Also what has not been counted yet: whoever writes an alert finds its name.
    const { kind, options } = families[0]!;
    // There a counter is called as its samples are, without their ending.
    const called = open && kind === "counter" ? name.replace(/_total$/, "") : name;
    const help = options.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    lines.push(`# HELP ${called} ${open ? help.replaceAll('"', '\\"') : help}`);
    lines.push(`# TYPE ${called} ${kind}`);
    const samples = open && kind === "counter" ? `${called}_total` : name;
    for (const family of families)
      for (const series of family.series) addSeries(lines, samples, family, series, open);
  }
  return lines;
}

function addSeries(
  lines: string[],
  name: string,
  { kind, options }: Family,
  series: Series,
  open: boolean,
): void {
  const labels = options.labels.map((label, i) => `${label}="${escaped(series.values[i] ?? "")}"`);
  const within = (more: readonly string[]): string => (more.length === 0 ? "" : `{${more.join(",")}}`);
  if (kind === "counter" || kind === "gauge") {
    lines.push(`${name}${within(labels)} ${series.sum}`);
    return;
  }
  if (series.buckets !== null) {
    let exemplar = open ? series.exemplar : null;
    const bucket = (le: string, bound: number, below: number): void => {
      let line = `${name}_bucket${within([...labels, `le="${le}"`])} ${below}`;
      if (exemplar !== null && exemplar.value <= bound) {
        line += exemplarText(exemplar);
        exemplar = null;
      }
      lines.push(line);
    };
    let below = 0;
    options.bounds!.forEach((bound, i) => {
      below += series.buckets![i]!;
      bucket(open && Number.isInteger(bound) ? `${bound}.0` : `${bound}`, bound, below);
    });
    bucket("+Inf", Infinity, series.count);
  }
  lines.push(`${name}_sum${within(labels)} ${series.sum}`);
  lines.push(`${name}_count${within(labels)} ${series.count}`);
}

function exemplarText({ traceId, value, atMs }: Exemplar): string {
  return ` # {trace_id="${traceId}"} ${value} ${atMs / 1000}`;
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}

/** A name that Prometheus takes, from any text: `Total Tokens` → `total_tokens`. */
export function metricName(text: string): string {
  const name = text
    .normalize("NFKD")
    .replaceAll(/[^a-zA-Z0-9_]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase();
  return name === "" ? "unnamed" : /^[0-9]/.test(name) ? `_${name}` : name;
}
