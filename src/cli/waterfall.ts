/** A trace as a person reads it: one line a step with its time drawn as a bar, and under it what the step did. */
import { clipToWidth, fitToWidth } from "./text-width.ts";

/** As the gateway gives it out (`listTrace`). */
export interface TraceDocument {
  readonly traceId: string;
  readonly complete: boolean;
  readonly traceEntries: Readonly<Record<string, readonly TraceEntry[]>>;
}

interface TraceEntry {
  readonly source: string;
  readonly elapsed: string;
  readonly data: Readonly<Record<string, any>>;
}

export interface WaterfallOptions {
  readonly color: boolean;
  /** Characters a line. */
  readonly columns: number;
}

const SECTIONS = ["inbound", "backend", "outbound", "on-error"];
const PLACE_WIDTH = 34;

interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

/** @returns lines, each ended */
export function renderTrace(given: TraceDocument, { color, columns }: WaterfallOptions): string {
  const trace = printable(given) as TraceDocument;
  const paint = paintOf(color);
  const entries = SECTIONS.flatMap((section) => trace.traceEntries[section] ?? []);
  const totalUs = Math.max(
    1,
    ...entries.map((entry) => startOf(entry) + Number(entry.data["microseconds"] ?? 0)),
  );
  const lines = headOf(trace, totalUs, paint);
  const barWidth = Math.max(10, columns - PLACE_WIDTH - 62);
  for (const section of SECTIONS) {
    const own = (trace.traceEntries[section] ?? []).filter((entry) => entry.source !== "api-inspector");
    if (own.length === 0) continue;
    lines.push("", paint.bold(section));
    for (const entry of own) lines.push(...entryLines(entry, totalUs, barWidth, columns, paint));
  }
  if (!trace.complete) lines.push("", "The exchange was still under way when its trace was read.");
  return `${lines.join("\n")}\n`;
}

/** What came over the network must not steer the terminal. */
function printable(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "�");
  if (Array.isArray(value)) return value.map(printable);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [printable(name), printable(one)]));
}

function headOf(trace: TraceDocument, totalUs: number, paint: Paint): string[] {
  const first = trace.traceEntries["inbound"]?.[0]?.data ?? {};
  const last = SECTIONS.flatMap((section) => trace.traceEntries[section] ?? []).findLast(
    (entry) => entry.data["response"] !== undefined && entry.source === "gateway",
  );
  const { request, configuration } = first as {
    request?: { method: string; url: string };
    configuration?: Record<string, any>;
  };
  const status =
    last === undefined
      ? "no response"
      : `${last.data["response"].status} ${last.data["response"].reason}`.trim();
  const { api, operation, product, subscription } = configuration ?? {};
  const version = last?.data["configVersion"];
  const facts = [
    `API ${api?.id ?? "-"}${api?.revision === undefined ? "" : ` (revision ${api.revision})`}`,
    `operation ${operation?.id === undefined ? "-" : `${operation.method} ${operation.uriTemplate}`}`,
    ...(product === undefined || product === "-" ? [] : [`product ${product}`]),
    ...(subscription === undefined || subscription === "-" ? [] : [`subscription ${subscription}`]),
    ...(version === undefined ? [] : [`configuration ${version}`]),
  ];
  return [
    `${paint.bold(`${request?.method ?? ""} ${request?.url ?? ""}`.trim())}  ${paint.bold(status)}  ${duration(totalUs)}`,
    paint.dim(`trace ${trace.traceId} · ${facts.join(" · ")}`),
  ];
}

function entryLines(
  entry: TraceEntry,
  totalUs: number,
  barWidth: number,
  columns: number,
  paint: Paint,
): string[] {
  const { data } = entry;
  const { policy } = data;
  const depth =
    policy === undefined
      ? 0
      : Math.min(
          6,
          String(policy.path)
            .split("/")
            .filter((part) => !/^(?:when|otherwise|include-fragment)\b/.test(part)).length - 1,
        );
  const name = `${"  ".repeat(depth + 1)}${entry.source}`;
  const scope = policy === undefined ? "" : String(policy.scope);
  const place = policy?.file == null ? "" : `${policy.file}:${policy.line}`;
  const took = data["microseconds"] === undefined ? "" : duration(Number(data["microseconds"]));
  const head = `${fitToWidth(name, 30)} ${fitToWidth(scope, 9)} ${fitToWidth(shortPlace(place), PLACE_WIDTH)} ${bar(entry, totalUs, barWidth)} ${took.padStart(10)}`;
  const indent = " ".repeat(2 * depth + 6);
  const lines = [data["error"] === undefined ? head.trimEnd() : paint.red(head.trimEnd())];
  for (const line of detailLines(data, paint)) lines.push(clipToWidth(`${indent}${line}`, columns * 2));
  return lines;
}

function detailLines(data: TraceEntry["data"], paint: Paint): string[] {
  const lines: string[] = [];
  if (data["message"] !== undefined) lines.push(String(data["message"]));
  for (const [name, value] of Object.entries(data["metadata"] ?? {})) lines.push(`${name}: ${value}`);
  if (data["decision"] !== undefined) lines.push(`${paint.cyan("→")} ${data["decision"]}`);
  for (const earlier of data["earlierAttempts"] ?? []) lines.push(...attemptLines(earlier, paint));
  lines.push(...attemptLines(data, paint));
  for (const remark of data["remarks"] ?? []) lines.push(`· ${remark}`);
  for (const [name, { before, after }] of Object.entries<any>(data["variables"] ?? {}))
    lines.push(changed(`variable ${name}`, before, after, paint));
  for (const { what, before, after } of data["changes"] ?? [])
    lines.push(changed(what, before, after, paint));
  const { error } = data;
  if (error !== undefined)
    lines.push(paint.red(`✗ ${error.reason === undefined ? "" : `${error.reason}: `}${error.message}`));
  return lines.flatMap((line) => line.split("\n")).slice(0, 40);
}

/** Where a request went and why, and what came back. */
function attemptLines(data: TraceEntry["data"], paint: Paint): string[] {
  const lines: string[] = [];
  const { backend } = data;
  if (backend !== undefined) {
    const id = backend.id == null ? "" : `backend ${backend.id}: `;
    lines.push(
      `${paint.cyan("→")} ${id}${backend.url}${backend.attempt > 1 ? ` (attempt ${backend.attempt})` : ""}`,
      `  because ${backend.why}`,
    );
  }
  if (data["response"] !== undefined) {
    const { status, reason } = data["response"];
    const after =
      data["microsecondsToHead"] === undefined
        ? ""
        : ` after ${duration(Number(data["microsecondsToHead"]))}`;
    lines.push(
      `${paint.cyan("←")} ${`${status} ${reason ?? ""}`.trim()}${after}${data["bytesSent"] === undefined ? "" : `, ${data["bytesSent"]} bytes`}`,
    );
  }
  if (data["failure"] !== undefined) lines.push(paint.red(`✗ ${data["failure"]}`));
  return lines;
}

function changed(what: string, before: string | null, after: string | null, paint: Paint): string {
  if (before === null) return `${paint.dim("+")} ${what}: ${after}`;
  if (after === null) return `${paint.dim("-")} ${what} (was ${before})`;
  return `${paint.dim("~")} ${what}: ${before} → ${after}`;
}

function bar(entry: TraceEntry, totalUs: number, width: number): string {
  const from = Math.min(width - 1, Math.floor((startOf(entry) / totalUs) * width));
  const length = Math.max(
    1,
    Math.min(width - from, Math.round((Number(entry.data["microseconds"] ?? 0) / totalUs) * width)),
  );
  return `${"·".repeat(from)}${"█".repeat(length)}${"·".repeat(width - from - length)}`;
}

/** Microseconds since the request came in, out of `hh:mm:ss.fffffff`. */
function startOf(entry: TraceEntry): number {
  const match = /^(\d+):(\d+):(\d+)\.(\d{7})$/.exec(entry.elapsed);
  if (match === null) return 0;
  const [, hours, minutes, seconds, ticks] = match.map(Number) as [number, number, number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + ticks / 10;
}

function duration(microseconds: number): string {
  if (microseconds < 1_000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1_000).toFixed(1)} ms`;
  return `${(microseconds / 1_000_000).toFixed(2)} s`;
}

/** The end of a long path says more than its beginning. */
function shortPlace(place: string): string {
  return place.length <= PLACE_WIDTH ? place : `…${place.slice(place.length - PLACE_WIDTH + 1)}`;
}

function paintOf(color: boolean): Paint {
  const wrap = (code: number) => (text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: wrap(1), dim: wrap(2), red: wrap(31), cyan: wrap(36) };
}
