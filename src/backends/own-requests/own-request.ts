/**
 * The request of `send-request` and `send-one-way-request` (`policies.md` 12, 13): what the two elements share, how
 * their request is made of mode, URL and the policies inside, and how it goes out.
 */
import { domainToASCII } from "node:url";
import { HeaderList } from "../../base/headers.ts";
import { NEEDS_REQUEST_BODY, type Section, type Step, type Value } from "../../compiler/policy.ts";
import type { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { withoutHopByHop } from "../../gateway/hop-by-hop.ts";
import { RequestMessage, type ResponseMessage, composeUrl } from "../../gateway/message.ts";
import { ensureBodies, runSteps } from "../../gateway/pipeline.ts";
import type { Args } from "../../gateway/policy.ts";
import type { Target } from "../../gateway/snapshot.ts";
import { parseTarget } from "../../gateway/url.ts";
import type { ClientRequest } from "../../transport/transport.ts";
import { type CallOut, callOut } from "./call-out.ts";
import { withClientCertificate } from "../client-certificate.ts";

export const OWN_REQUEST = {
  attributes: {
    mode: {
      type: "string",
      expression: true,
      oneOf: ["new", "copy"],
      default: "new",
      doc: "new: an empty request. copy: method, URL, headers and body of the current request; no body in outbound.",
    },
    timeout: {
      type: "number",
      expression: true,
      min: 1,
      default: 60,
      doc: "Seconds until the whole answer must be there.",
    },
  },
  children: {
    "set-url": {
      max: 1,
      text: { type: "string", expression: true, required: true, doc: "Absolute http or https URL." },
      doc: "Where the request goes. May be left out only with mode copy.",
    },
  },
  policies: [
    "set-method",
    "set-header",
    "set-body",
    "authentication-basic",
    "authentication-certificate",
    "authentication-managed-identity",
    "proxy",
  ],
} as const;

const DEFAULT_TIMEOUT_S = 60;

type OwnArgs = Args<typeof OWN_REQUEST>;
type Report = (message: string, at?: { attribute?: string; child?: string }, hint?: string) => void;

/** What the shape cannot say. */
export function checkOwnRequest({ attributes, children, steps }: OwnArgs, report: Report): void {
  const url = children["set-url"][0]?.text;
  if (url === undefined && attributes.mode.constant === "new" && children["set-url"].length === 0) {
    report("a <set-url> is missing", undefined, 'add <set-url>https://…</set-url>, or set mode="copy"');
  }
  if (url?.isConstant === true && parseUrl(url.constant!) === null) {
    report(`"${url.constant!}" is not an absolute http or https URL`, { child: "set-url" });
  }
  const credentials = steps.filter((step) => step.site.element.startsWith("authentication-"));
  if (credentials.length > 1)
    report("only one authentication policy may stand here", { child: credentials[1]!.site.element });
}

/** Ready to be made for each exchange. */
export interface OwnRequest {
  readonly mode: Value<string>;
  readonly timeoutS: Value<number>;
  readonly url: Value<string> | undefined;
  /** The URL when it is always the same. */
  readonly fixedUrl: Url | null;
  readonly steps: readonly Step[];
  readonly section: Section;
  /** The element, for errors. */
  readonly source: string;
}

export function prepareOwnRequest(
  { attributes, children, steps }: OwnArgs,
  section: Section,
  source: string,
): OwnRequest {
  const url = children["set-url"][0]?.text;
  const fixedUrl = url?.isConstant === true ? parseUrl(url.constant!) : null;
  return { mode: attributes.mode, timeoutS: attributes.timeout, url, fixedUrl, steps, section, source };
}

/** Evaluates everything that says what is sent. */
export async function makeOwnRequest(own: OwnRequest, exchange: Exchange): Promise<RequestMessage> {
  const mode = own.mode(exchange.context).trim().toLowerCase();
  if (mode !== "new" && mode !== "copy")
    throw invalid(own.source, "InvalidMode", `The mode is new or copy, not "${mode}".`);
  const url = urlOf(own, exchange);
  const message = mode === "copy" ? await copied(own, exchange) : blank(exchange);
  if (url !== null) setUrl(message, url);
  const outcome = runSteps(own.steps, exchange, message);
  if (outcome instanceof Promise) await outcome;
  return message;
}

/** Ms; what is no sensible number of seconds is the default. */
export function timeoutOf(own: OwnRequest, exchange: Exchange): number {
  const seconds = own.timeoutS(exchange.context);
  return (seconds > 0 ? seconds : DEFAULT_TIMEOUT_S) * 1000;
}

/** Sends it. @throws as `callOut`, and GatewayError when it leads nowhere */
export function sendOwnRequest(
  exchange: Exchange,
  message: RequestMessage,
  source: string,
  how: Omit<CallOut, "request">,
): Promise<ResponseMessage> {
  const target = message.target;
  if (target === null)
    throw invalid(source, "InvalidUrl", "There is no URL to send the request to: set-url is missing.");
  return callOut(exchange.services, exchange.snapshot.options.egress, {
    ...how,
    request: outgoing(message, target),
  });
}

/** Scheme, host and path, for logs and messages: a query may hold a key. */
export function shownUrl({ target, url }: RequestMessage): string {
  return target === null ? "" : `${target.scheme}://${target.authority}${url.path}`;
}

function outgoing(message: RequestMessage, target: Target): CallOut["request"] {
  const url = composeUrl(target, message.path, message.query);
  const body = message.body?.take() ?? null;
  return {
    method: message.method,
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    target: url.path + url.queryString,
    rawHeaders: outgoingHeaders(message, target, body),
    body,
    tls: withClientCertificate(null, message.clientCertificate),
    proxy: message.proxy ?? undefined,
  };
}

/** Ours, or the framing's. */
const DROPPED = new Set(["host", "content-length", "expect", "ocp-apim-trace", "apim-debug-authorization"]);
/** What `Body` can decode. */
const READABLE = /^\s*(?:gzip|x-gzip|deflate|br|identity)\s*(?:;|$)/i;

function outgoingHeaders(message: RequestMessage, target: Target, body: ClientRequest["body"]): string[] {
  const host = message.hostSet ? message.headers.get("host") : null;
  const headers = ["Host", host ?? target.authority];
  const passed = withoutHopByHop(message.headers.raw);
  for (let i = 0; i < passed.length; i += 2) {
    const name = passed[i]!;
    const lower = name.toLowerCase();
    if (DROPPED.has(lower)) continue;
    if (lower === "content-encoding" && (body === null || message.body?.recoded === true)) continue;
    headers.push(name, lower === "accept-encoding" ? readableOnly(passed[i + 1]!) : passed[i + 1]!);
  }
  return headers;
}

/** Expressions will read the answer: no coding that they could not. */
function readableOnly(value: string): string {
  const kept = value.split(",").filter((coding) => READABLE.test(coding));
  return kept.length === 0 ? "identity" : kept.join(",").trim();
}

// ── The message ───────────────────────────────────────────────────────────────────────────────────────────────────

function blank(exchange: Exchange): RequestMessage {
  return messageFrom(exchange, "GET", new HeaderList(), null);
}

/** The body of the current request is held in memory for it: there are two readers now. */
async function copied(own: OwnRequest, exchange: Exchange): Promise<RequestMessage> {
  const { request } = exchange;
  let body: Body | null = null;
  if (request.body !== null && own.section !== "outbound") {
    const waiting = ensureBodies(exchange, NEEDS_REQUEST_BODY);
    if (waiting !== undefined) await waiting;
    body = request.body.copy();
    if (body === null)
      exchange.remark(own.source, "The request body is gone already; the copy is sent without it.");
  }
  const copy = messageFrom(exchange, request.method, request.headers.copy(), body);
  copy.hostSet = request.hostSet && own.url === undefined;
  if (request.target !== null) copy.setTarget(request.target);
  copy.setPath(request.path);
  copy.setQuery(request.query);
  return copy;
}

function messageFrom(
  exchange: Exchange,
  method: string,
  headers: HeaderList,
  body: Body | null,
): RequestMessage {
  const { originalUrl, ipAddress } = exchange.request;
  return new RequestMessage({
    method,
    headers,
    body,
    originalUrl,
    path: "",
    query: "",
    ipAddress,
    certificate: () => null,
  });
}

// ── The URL ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Url {
  readonly target: Target;
  readonly path: string;
  readonly query: string;
}

function urlOf(own: OwnRequest, exchange: Exchange): Url | null {
  if (own.fixedUrl !== null || own.url === undefined) return own.fixedUrl;
  const text = own.url(exchange.context);
  const url = parseUrl(text);
  if (url === null)
    throw invalid(own.source, "InvalidUrl", `"${withoutQuery(text)}" is not an absolute http or https URL.`);
  return url;
}

function setUrl(message: RequestMessage, { target, path, query }: Url): void {
  message.setTarget(target);
  message.setPath(path);
  message.setQuery(query);
}

/**
 * An absolute URL as authors write it, white space around it and all. Characters that may not stand in a URL are
 * escaped as .NET's `Uri` does it; what is escaped already stays as it is.
 */
export function parseUrl(text: string): Url | null {
  const parts = /^(https?:\/\/[^/?#\\]*)([^?#]*)(?:\?([^#]*))?/i.exec(text.trim());
  if (parts === null) return null;
  const parsed = parseTarget(parts[1]!);
  if (parsed === null) return null;
  const path = escaped(parts[2]!.replaceAll("\\", "/"));
  const target = ASCII.test(parsed.host) ? parsed : inAscii(parsed);
  return target === null ? null : { target, path: path === "" ? "/" : path, query: escaped(parts[3] ?? "") };
}

const ASCII = /^[\x21-\x7e]*$/;
const UNSAFE = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/u;

function escaped(text: string): string {
  return UNSAFE.test(text) ? text.toWellFormed().replace(new RegExp(UNSAFE, "gu"), encodeURIComponent) : text;
}

/** Names beyond ASCII travel in their `xn--` form. */
function inAscii(target: Target): Target | null {
  const host = domainToASCII(target.host);
  if (host === "") return null;
  return { ...target, host, authority: target.authority.replace(target.host, host) };
}

function withoutQuery(text: string): string {
  return text
    .trim()
    .replace(/[?#].*$/s, "")
    .slice(0, 200);
}

function invalid(source: string, reason: string, message: string): GatewayError {
  return new GatewayError({ source, reason, message, status: 500 });
}
