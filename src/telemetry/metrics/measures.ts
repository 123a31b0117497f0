/**
 * Metrics that policies emit, under names of their own (`emit-metric`, `llm-emit-token-metric`). One series per namespace,
 * name and combination of dimension values; each has sum and count, as Azure's custom metrics have.
 */
import { metricName } from "./prometheus.ts";
import type { Family, Metrics } from "./registry.ts";

/** Dimension values that are told apart per metric; what is more goes under `other` (`ai-policies.md` §3.3). */
const MOST_SERIES = 5000;

/** Metrics that are remembered. */
const MOST_FAMILIES = 1000;
/** Namespaces that are remembered for one policy's names: usually one. */
const MOST_SPACES = 10;

/** One value, for loggers that take metrics. */
export interface Measure {
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  /** Names and values, in order. */
  readonly dimensions: readonly string[];
  readonly values: readonly string[];
}

export class Measures {
  readonly #metrics: Metrics;
  readonly #families = new Map<string, Family>();
  /** The same by the very array of names: a policy's constants are one array for all its requests. */
  readonly #byNames = new WeakMap<readonly string[], Map<string, Map<string, Family>>>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** @param dimensions names, one per value */
  emit(
    namespace: string,
    name: string,
    dimensions: readonly string[],
    values: readonly string[],
    value: number,
  ): void {
    this.#family(namespace, name, dimensions).record(value, values);
  }

  #family(namespace: string, name: string, dimensions: readonly string[]): Family {
    let spaces = this.#byNames.get(dimensions);
    if (spaces === undefined) this.#byNames.set(dimensions, (spaces = new Map()));
    let known = spaces.get(namespace);
    if (known === undefined) {
      if (spaces.size >= MOST_SPACES) spaces.clear();
      spaces.set(namespace, (known = new Map()));
    }
    let family = known.get(name);
    if (family === undefined) {
      family = this.#familyOf(namespace, name, dimensions);
      if (known.size >= MOST_FAMILIES) known.clear();
      known.set(name, family);
    }
    return family;
  }

  #familyOf(namespace: string, name: string, dimensions: readonly string[]): Family {
    const key = `${namespace}\u0000${name}\u0000${dimensions.join("\u0000")}`;
    const known = this.#families.get(key);
    if (known !== undefined) return known;
    const family = this.#metrics.summary({
      name: `${metricName(namespace)}_${metricName(name)}`,
      otlpName: name,
      scope: namespace,
      help: `${name}, emitted by policies.`,
      unit: /tokens$/i.test(name) ? "{token}" : "1",
      labels: labelNames(dimensions),
      otlpLabels: dimensions,
      mostSeries: MOST_SERIES,
    });
    // Names made by expressions from what callers send must not pile up.
    if (this.#families.size >= MOST_FAMILIES) this.#families.clear();
    this.#families.set(key, family);
    return family;
  }
}

/** Names that Prometheus takes, all different. */
function labelNames(dimensions: readonly string[]): string[] {
  const names: string[] = [];
  for (const dimension of dimensions) {
    const name = metricName(dimension);
    let free = name;
    for (let i = 2; names.includes(free); i++) free = `${name}_${i}`;
    names.push(free);
  }
  return names;
}
