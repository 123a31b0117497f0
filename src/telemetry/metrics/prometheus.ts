/** The text that a Prometheus scrapes: exposition format 0.0.4. */
import type { Family, Metrics, Series } from "./registry.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function prometheusText(metrics: Metrics): string {
  const byName = new Map<string, Family[]>();
  for (const family of metrics.families()) {
    const same = byName.get(family.options.name);
    if (same === undefined) byName.set(family.options.name, [family]);
    else if (same[0]!.kind === family.kind) same.push(family);
  }
  const lines: string[] = [];
  for (const [name, families] of byName) {
    if (families.every((family) => family.size === 0)) continue;
    const { help } = families[0]!.options;
    lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
    lines.push(`# TYPE ${name} ${families[0]!.kind}`);
    for (const family of families) for (const series of family.series) addSeries(lines, name, family, series);
  }
  return lines.length === 0 ? "" : lines.join("\n") + "\n";
}

function addSeries(lines: string[], name: string, { kind, options }: Family, series: Series): void {
  const labels = options.labels.map((label, i) => `${label}="${escaped(series.values[i] ?? "")}"`);
  const within = (more: readonly string[]): string => (more.length === 0 ? "" : `{${more.join(",")}}`);
  if (kind === "counter" || kind === "gauge") {
    lines.push(`${name}${within(labels)} ${series.sum}`);
    return;
  }
  if (series.buckets !== null) {
    let below = 0;
    options.bounds!.forEach((bound, i) => {
      below += series.buckets![i]!;
      lines.push(`${name}_bucket${within([...labels, `le="${bound}"`])} ${below}`);
    });
    lines.push(`${name}_bucket${within([...labels, 'le="+Inf"'])} ${series.count}`);
  }
  lines.push(`${name}_sum${within(labels)} ${series.sum}`);
  lines.push(`${name}_count${within(labels)} ${series.count}`);
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
