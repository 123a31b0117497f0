/** The two names a template starts with: `body`, parsed by its Content-Type, and `context` (`policies.md` 8.1). */
import { JToken } from "../compiler/runtime/library/json/token.ts";
import { bodyText } from "../compiler/runtime/library/context-body.ts";
import type { Raw } from "../compiler/runtime/library/json/raw.ts";
import { readJson } from "../compiler/runtime/library/json/reader.ts";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import type { HostUrl } from "../compiler/runtime/host.ts";
import { Box, TYPE, textOf } from "../compiler/runtime/values.ts";
import type { HeaderList } from "../base/headers.ts";
import type { Body } from "../gateway/body.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Message } from "../gateway/message.ts";
import { decodeOnce, parseQuery } from "../gateway/url.ts";
import { View, plain } from "./values.ts";
import { readXml } from "./xml.ts";

export interface InputOptions {
  /** `xsi-nil="null"`. */
  readonly nilAsNull: boolean;
  /** `parse-date`. */
  readonly parseDates: boolean;
}

/** @param body null: there is no input (return-response) */
export function scopeOf(exchange: Exchange, message: Message, options: InputOptions): object {
  const scope = Object.create(null) as Record<string, unknown>;
  scope["context"] = contextView(exchange);
  let body: unknown;
  Object.defineProperty(scope, "body", {
    enumerable: true,
    get: () => (body === undefined ? (body = readBody(message, options)) : body),
  });
  return scope;
}

/**
 * @returns null without a body
 * @throws Error, NetException when it is not what its Content-Type says
 */
function readBody(message: Message, options: InputOptions): unknown {
  const { body } = message;
  if (body === null || body.consumed || !body.buffered) return null;
  if (body.bytes().length === 0) return null;
  beginEvaluation();
  const type = (message.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (/^(?:application|text)\/json$|\+json$/.test(type)) return readBodyJson(body, options.parseDates);
  if (/^(?:application|text)\/xml$|\+xml$/.test(type)) return readXml(bodyText(body), options.nilAsNull);
  return bodyText(body);
}

/** What an expression parsed of this body already is used again, and the other way round. */
function readBodyJson(body: Body, parseDates: boolean): unknown {
  if (!parseDates) return plain(readJson(bodyText(body), "JToken", { dates: false }));
  let raw = body.parsed.get("json") as Raw | undefined;
  if (raw === undefined) {
    raw = readJson(bodyText(body), "JToken", { keepDateText: true });
    body.parsed.set("json", raw);
  }
  return plain(raw);
}

// ── context ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Members = Readonly<Record<string, () => unknown>>;

/** Members in lower case; made of closures once per rendering, values only when asked for. */
class Members_ extends View {
  readonly #members: Members;
  readonly #text: () => string;
  constructor(members: Members, text: () => string = () => "") {
    super();
    this.#members = members;
    this.#text = text;
  }
  member(lowerName: string): unknown {
    return Object.hasOwn(this.#members, lowerName) ? this.#members[lowerName]!() : undefined;
  }
  get text(): string {
    return this.#text();
  }
}

function contextView(exchange: Exchange): View {
  return new Members_({
    request: () => requestView(exchange),
    response: () => responseView(exchange),
    variables: () =>
      new Named(
        [...exchange.variables].map(([name, value]) => [name, () => ofVariable(value)]),
        true,
      ),
    requestid: () => exchange.requestId,
  });
}

function requestView(exchange: Exchange): View {
  const { request } = exchange;
  return new Members_({
    url: () => urlView(request.url),
    originalurl: () => urlView(request.originalUrl),
    method: () => request.method,
    originalmethod: () => exchange.incoming.method,
    ipaddress: () => request.ipAddress,
    matchedparameters: () =>
      new Named(
        [...request.matchedParameters].map(([name, value]) => [name, () => value]),
        false,
      ),
    hasbody: () => request.body !== null,
    clientcertificates: () =>
      request.certificate === null ? [] : [Buffer.from(request.certificate).toString("base64")],
    headers: () => headersView(request.headers),
  });
}

function responseView(exchange: Exchange): View | null {
  const { response } = exchange;
  if (response === null) return null;
  return new Members_({
    statuscode: () => response.statusCode,
    statusreason: () => response.statusReason,
    method: () => exchange.request.method,
    headers: () => headersView(response.headers),
  });
}

/** Several lines of one header read as one list. */
function headersView(headers: HeaderList): View {
  return new Named(
    headers.names().map((name) => [name, () => headers.getAll(name)!.join(",")]),
    false,
  );
}

function urlView(url: HostUrl): View {
  const standard = url.port === (url.scheme === "https" ? 443 : 80);
  const host = url.host.includes(":") && !url.host.startsWith("[") ? `[${url.host}]` : url.host;
  const whole = (): string =>
    `${url.scheme}://${host}${standard ? "" : `:${url.port}`}${url.path}${url.queryString}`;
  return new Members_(
    {
      scheme: () => url.scheme,
      host: () => url.host,
      port: () => url.port,
      path: () => url.path,
      querystring: () => url.queryString,
      query: () => queryView(url.queryString),
      touri: whole,
      tostring: whole,
    },
    whole,
  );
}

function queryView(queryString: string): View {
  const values = new Map<string, string[]>();
  for (const [name, raw] of parseQuery(queryString.slice(1)).entries) {
    const value = raw.replaceAll("+", " ");
    const list = values.get(name);
    if (list === undefined) values.set(name, [decodeOnce(value) ?? value]);
    else list.push(decodeOnce(value) ?? value);
  }
  return new Named(
    [...values].map(([name, list]) => [name, () => list.join(",")]),
    false,
  );
}

/** Pairs by name, as headers, parameters and variables are. */
class Named extends View {
  readonly #pairs: readonly (readonly [string, () => unknown])[];
  readonly #exact: boolean;
  constructor(pairs: readonly (readonly [string, () => unknown])[], exact: boolean) {
    super();
    this.#pairs = pairs;
    this.#exact = exact;
  }
  member(lowerName: string, name: string): unknown {
    const found = this.#pairs.find(([key]) => (this.#exact ? key === name : key.toLowerCase() === lowerName));
    if (found !== undefined) return found[1]();
    return lowerName === "size" ? this.#pairs.length : undefined;
  }
  override entries(): readonly (readonly [string, unknown])[] {
    return this.#pairs.map(([name, value]) => [name, value()]);
  }
  get text(): string {
    return "";
  }
}

/** A variable's .NET value: JSON stays an object, numbers and dates keep their nature, the rest is its `ToString()`. */
function ofVariable(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  if (value instanceof Box)
    return value.type.definition.fullName === "System.Char" ? textOf(value) : plain(value);
  if (value instanceof JToken) {
    beginEvaluation();
    return plain(readJson(value.toJson(false), "JToken"));
  }
  if (typeof value === "object" && TYPE in value) {
    return value[TYPE as never] !== undefined && nameOf(value) === "System.DateTime" ? value : textOf(value);
  }
  return undefined;
}

function nameOf(value: object): string {
  const type = (value as { readonly [TYPE]: { readonly definition?: { readonly fullName: string } } })[TYPE];
  return type.definition?.fullName ?? "";
}
