/**
 * Runs expression cases: each is an expression, a context and what must come of it. The format is described in the
 * header of `expression-cases.json` (spec: expressions.md §7).
 */
import { readFileSync } from "node:fs";
import { HeaderList } from "../src/base/headers.ts";
import { compileDetailed } from "../src/compiler/csharp/compile-expression.ts";
import { beginEvaluation, configureBudget } from "../src/compiler/runtime/budget.ts";
import { lookupType } from "../src/compiler/runtime/define.ts";
import { configureEnvironment } from "../src/compiler/runtime/environment.ts";
import { BudgetError, NetException } from "../src/compiler/runtime/errors.ts";
import type { HostApi, HostBody, HostContext, HostResponse, HostUrl } from "../src/compiler/runtime/host.ts";
import { parseJwt } from "../src/compiler/runtime/library/credentials.ts";
import { decimalLiteral } from "../src/compiler/runtime/library/decimal-arithmetic.ts";
import { parseToken } from "../src/compiler/runtime/library/json/types.ts";
import { type NamedType, instantiate } from "../src/compiler/runtime/type.ts";
import { Box, EnumValue, type NetObject, textOf, typeNamed, typeOf } from "../src/compiler/runtime/values.ts";

type Json = any;

export interface ExpressionCase {
  readonly id: string;
  readonly expression: string;
  readonly context?: Json;
  readonly expected: Json;
  readonly optional?: boolean;
}

export interface CaseFile {
  readonly baseContext: Json;
  readonly cases: readonly ExpressionCase[];
}

export interface CaseResult {
  readonly id: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
}

export function readCases(path: string): CaseFile {
  return JSON.parse(readFileSync(path, "utf8")) as CaseFile;
}

export function runCases(file: CaseFile): CaseResult[] {
  configureBudget(() => performance.now());
  configureEnvironment({ now: () => Date.now() });
  return file.cases.map((one) => runCase(one, file.baseContext));
}

export function runCase(one: ExpressionCase, baseContext: Json): CaseResult {
  const { expected } = one;
  let actual: Json;
  // Reading the context's values pays for its steps like an evaluation of its own.
  beginEvaluation();
  try {
    actual = outcome(one, merge(baseContext, one.context ?? {}));
  } catch (error) {
    actual = { crashed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  return {
    id: one.id,
    passed: agrees(one, actual),
    expected: JSON.stringify(expected),
    actual: JSON.stringify(shown(actual)),
  };
}

function shown(actual: Json): Json {
  const { error: _, ...rest } = actual;
  return rest;
}

function outcome(one: ExpressionCase, context: Json): Json {
  const text = one.expression.trim();
  const form = text.startsWith("@{") ? "block" : "expression";
  const { diagnostics, value } = compileDetailed(text.slice(2, -1), form, "any");
  if (value === null)
    return { compileError: true, diagnostics: diagnostics.map((d) => `${d.code} ${d.message}`) };
  try {
    return encode(value(hostContext(context)));
  } catch (error) {
    if (error instanceof NetException) return { throws: error.typeName, message: error.message, error };
    if (error instanceof BudgetError) return { throws: "budget", message: error.message, error };
    throw error;
  }
}

function agrees({ expected, optional }: ExpressionCase, actual: Json): boolean {
  if ("crashed" in actual) return false;
  if (expected.compileError === true) return actual.compileError === true || optional === true;
  if (optional === true && actual.compileError === true) return true;
  if (expected.throws !== undefined) {
    if (actual.throws === undefined) return false;
    return (
      expected.throws === "*" || (actual.error instanceof NetException && actual.error.is(expected.throws))
    );
  }
  if (expected.type !== actual.type) return false;
  if (expected.type === "null") return true;
  if (expected.type.startsWith("J") && typeof expected.value === "string")
    return sameJson(expected.value, actual.value);
  return JSON.stringify(expected.value) === JSON.stringify(actual.value);
}

function sameJson(a: string, b: string): boolean {
  return a === b || JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
}

/** Objects merge, everything else replaces. */
function merge(base: Json, change: Json): Json {
  const isObject = (value: Json): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(base) || !isObject(change)) return change;
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(change))
    merged[key] = key in base ? merge(base[key], value) : value;
  return merged;
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A boxed value in the file's notation. */
function encode(value: unknown): Json {
  if (value === null || value === undefined) return { type: "null" };
  const name = typeOf(value).name;
  if (value instanceof Box) {
    if (name === "System.Char") return { type: name, value: String.fromCharCode(value.value as number) };
    return { type: name, value: typeof value.value === "bigint" ? String(value.value) : value.value };
  }
  if (typeof value !== "object") return { type: name, value };
  if (value instanceof EnumValue) return { type: name, value: value.text };
  if (value instanceof Uint8Array)
    return { type: "System.Byte[]", value: Buffer.from(value).toString("base64") };
  if (name.startsWith("Newtonsoft.Json.Linq.")) {
    const json = (value as { toJson?: (indented: boolean) => string }).toJson;
    return {
      type: name.slice(name.lastIndexOf(".") + 1),
      value: json === undefined ? compact(value) : json.call(value, false),
    };
  }
  if (name === "System.DateTime" || name === "System.DateTimeOffset") {
    return { type: name, value: (value as NetObject).netFormat?.("o") ?? textOf(value) };
  }
  if (Symbol.iterator in (value as object))
    return { type: name, value: [...(value as Iterable<unknown>)].map(String) };
  return { type: name, value: textOf(value) };
}

const toJson = compileDetailed(
  'JsonConvert.SerializeObject(context.Variables["value"])',
  "expression",
  "string",
);

function compact(value: unknown): string {
  const context = { variables: new Map([["value", value]]) } as unknown as HostContext;
  return toJson.value!(context) as string;
}

/** A variable of the file → a boxed value. */
function decode(value: Json): unknown {
  if (value === null || typeof value !== "object") return value;
  const { type, value: raw } = value;
  switch (type) {
    case "IResponse":
      return response(raw);
    case "JObject":
    case "JArray":
      return parseToken(raw, type);
    case "JToken":
    case "JValue":
      return parseToken(raw, "JToken");
    case "Jwt":
      return parseJwt(raw);
    case "System.Int32":
    case "System.String":
    case "System.Boolean":
      return raw;
    case "System.Int64":
    case "System.UInt64":
      return new Box(typeNamed(type), BigInt(raw));
    case "System.Decimal":
      return decimalLiteral(String(raw));
    case "System.Char":
      return new Box(typeNamed(type), (raw as string).charCodeAt(0));
    case "System.Byte[]":
      return new Uint8Array(Buffer.from(raw, "base64"));
    default:
      return decodeOther(type, raw);
  }
}

/** Numbers are boxed as they are; anything else is parsed by its own type. */
function decodeOther(type: string, raw: Json): unknown {
  if (typeof raw === "number") return new Box(instantiate(lookupType(type)) as NamedType, raw);
  const { value } = compileDetailed(`${type}.Parse((string)context.Variables["text"])`, "expression", "any");
  if (value === null) throw new Error(`values of type ${type} are not understood`);
  return value({ variables: new Map([["text", raw]]) } as unknown as HostContext);
}

// ── Context ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function hostContext(json: Json): HostContext {
  const { request } = json;
  return {
    requestId: json.requestId,
    timestampMs: Date.parse(json.timestamp),
    elapsedMs: () => milliseconds(json.elapsed),
    request: {
      method: request.method,
      headers: headers(request.headers),
      url: url(request.url),
      originalUrl: url(request.originalUrl),
      matchedParameters: new Map(Object.entries(request.matchedParameters as Record<string, string>)),
      ipAddress: request.ipAddress,
      body: body(request.body, request.headers),
      certificate: null,
    },
    response: json.response === null ? null : response(json.response),
    variables: new Map(
      Object.entries(json.variables as Record<string, Json>).map(([name, value]) => [name, decode(value)]),
    ),
    api: json.api === null ? null : api(json.api),
    operation: json.operation,
    product: json.product === null ? null : { apis: [], ...json.product },
    subscription: json.subscription === null ? null : subscription(json.subscription),
    user: json.user === null ? null : { note: "", registrationMs: 0, identities: [], ...json.user },
    lastError: json.lastError,
    backend: json.backend ?? null,
    deployment: { certificates: new Map(), ...json.deployment },
    workspace: json.workspace ?? null,
    tracing: json.tracing ?? false,
    trace: () => undefined,
  };
}

function milliseconds(span: string): number {
  const [hours, minutes, seconds] = span.split(":").map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

function headers(json: Record<string, string[]>): HeaderList {
  return new HeaderList(
    Object.entries(json).flatMap(([name, values]) => values.flatMap((value) => [name, value])),
  );
}

/** Split by hand: `URL` would change what was written. */
function url(text: string): HostUrl {
  const match = /^(\w+):\/\/([^/:?]+)(?::(\d+))?([^?]*)(\?.*)?$/.exec(text)!;
  const scheme = match[1]!;
  const port = match[3] === undefined ? (scheme === "https" ? 443 : 80) : Number(match[3]);
  const path = match[4] ?? "";
  return { scheme, host: match[2]!, port, path: path === "" ? "/" : path, queryString: match[5] ?? "" };
}

function body(text: string | null, messageHeaders: Record<string, string[]>): HostBody | null {
  if (text === null || text === undefined) return null;
  const contentType = headers(messageHeaders ?? {}).get("content-type");
  const octets = new TextEncoder().encode(text);
  let consumed = false;
  return {
    bytes: () => octets,
    charset: /charset="?([\w-]+)/i.exec(contentType ?? "")?.[1] ?? null,
    get consumed() {
      return consumed;
    },
    consume: () => {
      consumed = true;
    },
    parsed: new Map(),
  };
}

function response(json: Json): HostResponse {
  return {
    statusCode: json.statusCode,
    statusReason: json.statusReason,
    headers: headers(json.headers ?? {}),
    body: body(json.body, json.headers),
  };
}

function api(json: Json): HostApi {
  return {
    isCurrentRevision: true,
    protocols: ["https"],
    type: "http",
    subscriptionKeyParameterNames: { header: "Ocp-Apim-Subscription-Key", query: "subscription-key" },
    ...json,
    serviceUrl: json.serviceUrl === null || json.serviceUrl === undefined ? null : url(json.serviceUrl),
  };
}

function subscription(json: Json): Json {
  const ms = (text: string | null | undefined): number | null =>
    text === null || text === undefined ? null : Date.parse(text);
  return {
    ...json,
    createdMs: ms(json.createdDate) ?? 0,
    startMs: ms(json.startDate),
    endMs: ms(json.endDate),
  };
}
