/**
 * Numbers that the gateway keeps of itself and of what policies measure. Adding is a map look-up and an addition; exporters
 * (`prometheus.ts`, OTLP) read everything when they are asked.
 *
 * Labels are bounded (`reliability.md` R-39): a family keeps `mostSeries` combinations of values, and whatever comes beyond is
 * counted under `other` for each label. Nothing is lost from a sum, only told apart no more.
 */

export type MetricKind = "counter" | "gauge" | "histogram" | "summary";

export interface FamilyOptions {
  /** With prefix and unit, as Prometheus has it: `headgate_request_duration_seconds`. */
  readonly name: string;
  /** Name for OTLP; default: `name`. */
  readonly otlpName?: string;
  /** Attribute names for OTLP; default: `labels`. */
  readonly otlpLabels?: readonly string[];
  /** Instrumentation scope for OTLP: the namespace that a policy gave; default: the gateway's own. */
  readonly scope?: string;
  readonly help: string;
  /** UCUM, for OTLP: `s`, `By`, `{token}`, `1`. */
  readonly unit: string;
  readonly labels: readonly string[];
  /** Upper bounds, ascending, without infinity; for histograms. */
  readonly bounds?: readonly number[];
  readonly mostSeries?: number;
}

const MOST_SERIES = 2000;
const MOST_FAMILIES = 500;
/** Of a label's value, in UTF-16 units. */
const LONGEST_VALUE = 256;
export const OTHER = "other";

export interface Series {
  readonly values: readonly string[];
  /** Of counters and gauges: the value; of others the sum. */
  sum: number;
  count: number;
  min: number;
  max: number;
  /** Per bound, not accumulated; the last is what lies beyond all. null but for histograms. */
  readonly buckets: number[] | null;
  /** Of a histogram: the last observation that belongs to a trace; null = none. */
  exemplar: Exemplar | null;
}

export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Since the epoch. */
  readonly atMs: number;
}

/** Observations of a histogram before it is known to which series they belong. */
export class Observations {
  sum = 0;
  count = 0;
  min = Infinity;
  max = -Infinity;
  readonly buckets: number[];
  readonly #bounds: readonly number[];

  /** @param bounds those of the histogram that they go into */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  note(value: number): void {
    this.sum += value;
    this.count++;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.buckets[bucketOf(this.#bounds, value)]!++;
  }
}

/** One metric with all its series. */
export class Family {
  readonly kind: MetricKind;
  readonly options: FamilyOptions;
  readonly #series = new Map<string, Series>();
  readonly #most: number;
  /** Asked before the family is read: for gauges that somebody else knows. */
  refresh: (() => void) | null = null;

  constructor(kind: MetricKind, options: FamilyOptions) {
    this.kind = kind;
    this.options = options;
    this.#most = options.mostSeries ?? MOST_SERIES;
  }

  get series(): Iterable<Series> {
    return this.#series.values();
  }

  get size(): number {
    return this.#series.size;
  }

  /** Counter: adds. Histogram and summary: one more observation. Gauge: sets. @param values one per label */
  record(value: number, values: readonly string[] = NONE): void {
    this.note(this.at(values), value);
  }

  /** The series of these labels, to be kept by whoever records often. */
  at(values: readonly string[]): Series {
    const key = values.length === 0 ? "" : values.length === 1 ? values[0]! : values.join("\u0000");
    return this.#series.get(key) ?? this.#open(key, values);
  }

  note(series: Series, value: number): void {
    if (!Number.isFinite(value)) return;
    if (this.kind === "gauge") {
      series.sum = value;
      return;
    }
    series.sum += value;
    series.count++;
    if (value < series.min) series.min = value;
    if (value > series.max) series.max = value;
    if (series.buckets !== null) series.buckets[bucketOf(this.options.bounds!, value)]!++;
  }

  /** Of a histogram with the bounds of the observations. */
  merge(series: Series, { sum, count, min, max, buckets }: Observations): void {
    series.sum += sum;
    series.count += count;
    series.min = Math.min(series.min, min);
    series.max = Math.max(series.max, max);
    for (let i = 0; i < buckets.length; i++) series.buckets![i]! += buckets[i]!;
  }

  /** Forgets all series: gauges that are worked out anew. */
  clear(): void {
    this.#series.clear();
  }

  #open(key: string, values: readonly string[]): Series {
    const full = this.#series.size >= this.#most;
    const named = full ? this.options.labels.map(() => OTHER) : values.map(bounded);
    const kept = full ? named.join("\u0000") : key.length <= LONGEST_VALUE ? key : named.join("\u0000");
    const known = this.#series.get(kept);
    if (known !== undefined) return known;
    const series: Series = {
      values: named,
      sum: 0,
      count: 0,
      min: Infinity,
      max: -Infinity,
      buckets: this.kind === "histogram" ? new Array<number>(this.options.bounds!.length + 1).fill(0) : null,
      exemplar: null,
    };
    this.#series.set(kept, series);
    return series;
  }
}

const NONE: readonly string[] = [];

function bounded(value: string): string {
  return value.length <= LONGEST_VALUE ? value : value.slice(0, LONGEST_VALUE);
}

function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class Metrics {
  readonly #families = new Map<string, Family>();
  /** When counting began, ms since the epoch. */
  readonly sinceMs: number;

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  counter(options: FamilyOptions): Family {
    return this.#family("counter", options);
  }
  gauge(options: FamilyOptions): Family {
    return this.#family("gauge", options);
  }
  histogram(options: FamilyOptions & { readonly bounds: readonly number[] }): Family {
    return this.#family("histogram", options);
  }
  /** Sum and count, without buckets: what policies measure. */
  summary(options: FamilyOptions): Family {
    return this.#family("summary", options);
  }

  /** All families, with gauges brought up to date. */
  *families(): Iterable<Family> {
    for (const family of this.#families.values()) {
      family.refresh?.();
      yield family;
    }
  }

  /** The same object for the same name: configurations come and go, counts stay. */
  #family(kind: MetricKind, options: FamilyOptions): Family {
    // Other labels make another family of that name, which exporters show together.
    const key = `${options.name} ${options.labels.join(" ")}`;
    let family = this.#families.get(key);
    if (family === undefined) {
      family = new Family(kind, options);
      // Names come from configurations: what is too many is counted, but shown nowhere.
      if (this.#families.size < MOST_FAMILIES) this.#families.set(key, family);
    }
    return family;
  }
}
