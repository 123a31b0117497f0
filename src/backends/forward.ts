/**
 * `forward-request`: sends the exchange's request to its backend and brings back the head of the answer. The body
 * stays a stream. Each call is one attempt: it picks anew from a pool, asks the backend's circuit breaker, attaches that
 * backend's credentials, and tells pool and breaker what came of it. A backend without either costs a null check.
 */
import type { Abort } from "../base/abort.ts";
import { HeaderList, sameName } from "../base/headers.ts";
import { Body } from "../gateway/body.ts";
import { ClientGone, GatewayError } from "../gateway/errors.ts";
import type { Attempt, Exchange } from "../gateway/exchange.ts";
import { withoutHopByHop } from "../gateway/hop-by-hop.ts";
import type { IdentityCredential } from "../gateway/identity.ts";
import { ResponseMessage, composeUrl } from "../gateway/message.ts";
import { asksModel } from "../gateway/models/find-model-call.ts";
import { attemptTraceparent } from "../gateway/observing/spans.ts";
import type { ForwardOptions } from "../gateway/services.ts";
import type { BackendEntity, Target } from "../gateway/snapshot.ts";
import { parseTarget } from "../gateway/url.ts";
import {
  type BodySource,
  type Client,
  type ClientRequest,
  type ClientResponse,
  type ClientTls,
  TransportError,
} from "../transport/transport.ts";
import { withoutCookie } from "./pools/affinity.ts";
import type { Backends, Picked } from "./backends.ts";
import { withClientCertificate } from "./client-certificate.ts";
import {
  attachCredentials,
  authorize,
  credentialHeaders,
  missingIdentity,
  obtainIdentity,
} from "./credentials.ts";
import { egressGuard } from "./own-requests/egress.ts";
import { CREDENTIAL_UNAVAILABLE } from "./identity/failure.ts";
import { sendWithFailover } from "./attempts/failover.ts";
import { gathered, mayBeGathered } from "./attempts/gathered-body.ts";
import { sendHedged } from "./attempts/hedge.ts";
import type { Lease } from "./pools/lease.ts";
import { Leg } from "./attempts/leg.ts";
import { promptKey } from "./pools/prompt-prefix.ts";
import { firstByte, within } from "./attempts/timed-body.ts";
import { traceAnswer, traceAttempt } from "./attempts/trace-attempt.ts";

/** Consumed by the gateway, never passed on (`routing.md` §7.1). */
const INTERNAL = new Set(["ocp-apim-trace", "apim-debug-authorization", "expect", "content-length"]);
const MOST_REDIRECTS = 10;
/** Timers take no more than this. */
const LONGEST_MS = 0x7fffffff;

/** `compat.tlsHostnameValidation`. */
const ANY_NAME: ClientTls = { validateChain: true, validateName: false };

/** Where an attempt goes, and who wants to know what comes of it. */
interface Destination {
  readonly target: Target;
  /** null: nobody. */
  readonly lease: Lease | null;
  /** null unless a pool chose. */
  readonly picked: Picked | null;
}

/**
 * @throws GatewayError with Source `forward-request`; ClientGone when the caller hung up meanwhile
 */
export function forward(
  exchange: Exchange,
  options: ForwardOptions,
  client: Client,
  backends: Backends,
): Promise<ResponseMessage> {
  if (options.deadlineMs !== undefined) exchange.deadlineMs = options.deadlineMs;
  const rules = exchange.request.target?.entity?.balancing;
  const failover = rules?.failover ?? null;
  // A connection that is handed over cannot be had twice.
  const hedge = exchange.incoming.upgrade ? null : (rules?.hedge ?? null);
  if (failover === null && hedge === null) return attemptOnce(exchange, options, client, backends, null);
  const replayable: ForwardOptions = { ...options, bufferRequestBody: true };
  const send = (): Promise<ResponseMessage> => {
    if (hedge === null) return attemptOnce(exchange, replayable, client, backends, null);
    const awaited = { ...replayable, firstByteMs: options.firstByteMs ?? LONGEST_MS };
    return sendHedged(exchange, hedge, backends, (leg) =>
      attemptOnce(exchange, awaited, client, backends, leg),
    );
  };
  return failover === null ? send() : sendWithFailover(exchange, failover, backends, send);
}

/** @param given by who may call the attempt off; null: nobody but the exchange */
async function attemptOnce(
  exchange: Exchange,
  options: ForwardOptions,
  client: Client,
  backends: Backends,
  given: Leg | null,
): Promise<ResponseMessage> {
  const { request } = exchange;
  if (request.target === null) throw notConfigured();
  const byPrompt = request.target.entity?.balancing?.algorithm === "promptPrefix";
  if ((options.bufferRequestBody || byPrompt) && request.body !== null && !request.body.buffered) {
    await request.body.buffer(exchange.snapshot.options.bufferLimitBytes);
  }
  const { deadlineMs } = exchange;
  if (deadlineMs !== null && timeLeft(exchange, deadlineMs) < 1) throw deadlineOver(exchange, deadlineMs);
  const leg = deadlineMs === null ? given : (given ?? new Leg(exchange.abort));
  const abort = leg === null ? exchange.abort : leg.abort;
  const { target, lease, picked } = destinationOf(exchange, request.target, backends);
  const identity = missingIdentity(exchange, target.entity?.credentials);
  const outgoing =
    identity === null
      ? prepared(exchange, target, options, lease, abort)
      : await authorized(exchange, target, options, lease, abort, identity);
  if (picked?.pool.affinity?.rule.source === "cookie")
    withoutCookie(outgoing.rawHeaders, picked.pool.affinity.rule.name);
  const attempt: Attempt = {
    backendId: target.entity?.id ?? null,
    url: `${target.scheme}://${target.authority}${pathOnly(outgoing.target)}`,
    status: null,
    error: null,
    startedMs: exchange.elapsedMs(),
    headersMs: null,
    spanId: exchange.traceContext?.attemptSpanId,
  };
  if (exchange.attempts.push(attempt) === 1) backends.firstAttempt(exchange.startedMonotonicMs);
  leg?.sent(attempt, lease);
  if (deadlineMs !== null) leg!.limit(exchange.services.clock, timeLeft(exchange, deadlineMs));
  if (exchange.traced !== null) traceAttempt(exchange, request.target, target, attempt, outgoing);
  let answer: ClientResponse;
  let source: BodySource | null;
  try {
    answer = await client.send(outgoing);
    if (options.followRedirects)
      answer = await followRedirects(exchange, client, outgoing, answer, target.entity);
    source = answer.body;
    if (source !== null && options.firstByteMs !== undefined) {
      source = await firstByte(source, options.firstByteMs, exchange.services.clock, abort);
    }
  } catch (error) {
    leg?.decided();
    lease?.failed(error);
    throw failed(exchange, attempt, abort, error);
  }
  leg?.decided();
  attempt.status = answer.status;
  attempt.headersMs = exchange.elapsedMs();
  if (exchange.traced !== null) traceAnswer(exchange, attempt, answer.rawHeaders);
  const response = toResponse(exchange, answer, source, options, lease, attempt.startedMs);
  if (lease === null) return response;
  const well = lease.answered(answer.status, response.headers);
  if (well && picked !== null) keepSession(exchange, picked, response);
  if (answer.tunnel !== null) exchange.onEnd(() => lease.giveBack());
  else if (response.body === null) lease.giveBack();
  return response;
}

/** Of the time for all attempts. Timers round; what is shorter than they can tell is nothing. */
function timeLeft(exchange: Exchange, deadlineMs: number): number {
  return deadlineMs - exchange.elapsedMs();
}

/** What goes out. A lease is given back when that cannot be said. */
function prepared(
  exchange: Exchange,
  target: Target,
  options: ForwardOptions,
  lease: Lease | null,
  abort: Abort,
): ClientRequest {
  try {
    return compose(exchange, target, bodyToSend(exchange), options, abort);
  } catch (error) {
    lease?.giveBack();
    throw error;
  }
}

/** As `prepared`, with a credential that is fetched or worked out. An attempt that gets none has failed before it was sent. */
async function authorized(
  exchange: Exchange,
  target: Target,
  options: ForwardOptions,
  lease: Lease | null,
  abort: Abort,
  identity: IdentityCredential,
): Promise<ClientRequest> {
  try {
    const obtained = await obtainIdentity(exchange, identity);
    const outgoing = compose(exchange, target, bodyToSend(exchange), options, abort);
    authorize(exchange, outgoing, identity, obtained);
    return outgoing;
  } catch (error) {
    lease?.giveBack();
    if (error instanceof GatewayError && error.code === CREDENTIAL_UNAVAILABLE)
      exchange.attempts.push({
        backendId: target.entity?.id ?? null,
        url: `${target.scheme}://${target.authority}${target.basePath}`,
        status: null,
        error: CREDENTIAL_UNAVAILABLE,
        startedMs: exchange.elapsedMs(),
        headersMs: null,
      });
    throw error;
  }
}

function toResponse(
  exchange: Exchange,
  answer: ClientResponse,
  source: BodySource | null,
  { totalMs, bufferResponse }: ForwardOptions,
  lease: Lease | null,
  startedMs: number,
): ResponseMessage {
  if (answer.tunnel !== null) {
    exchange.tunnel = answer.tunnel;
    return new ResponseMessage(answer.status, answer.reason, new HeaderList(answer.rawHeaders));
  }
  const headers = new HeaderList(withoutHopByHop(answer.rawHeaders));
  if (source === null) return new ResponseMessage(answer.status, answer.reason, headers, null);
  if (lease !== null) source = lease.watch(source);
  if (totalMs !== undefined)
    source = within(source, totalMs - (exchange.elapsedMs() - startedMs), exchange.services.clock);
  // Only chunked answers are concerned, and none of a model: some of them stream what calls itself plain JSON.
  if (bufferResponse && source.length === undefined && mayBeGathered(headers.get("content-type")))
    if (!asksModel(exchange)) source = gathered(source);
  return new ResponseMessage(
    answer.status,
    answer.reason,
    headers,
    Body.streaming("response", source, headers),
  );
}

/** The transport's timers; a limit on the whole is one on the head, too. */
function timeoutsOf({ timeoutMs, chunkMs, totalMs }: ForwardOptions): NonNullable<ClientRequest["timeouts"]> {
  const headersMs = totalMs === undefined || (timeoutMs > 0 && timeoutMs < totalMs) ? timeoutMs : totalMs;
  return chunkMs === undefined ? { headersMs } : { headersMs, idleMs: chunkMs };
}

/** Session affinity: a client that comes back is to reach the same member. */
function keepSession(exchange: Exchange, { pool, index }: Picked, response: ResponseMessage): void {
  const { headers, originalUrl } = exchange.request;
  pool.affinity?.keep(index, headers, response.headers, originalUrl.scheme === "https");
}

/** The backend behind the target: a pool's pick, an entity found by URL, or the plain URL. */
function destinationOf(exchange: Exchange, target: Target, backends: Backends): Destination {
  const entity = target.entity ?? entityByUrl(exchange, target);
  if (entity === null) return { target, lease: null, picked: null };
  exchange.backend = entity;
  if (entity.type === "Single") {
    return {
      target: entity === target.entity ? target : { ...target, entity },
      lease: backends.admit(entity),
      picked: null,
    };
  }
  const picked = backends.pick(
    entity,
    exchange.attempts,
    exchange.request.headers,
    promptOf(exchange, entity),
  );
  return { target: picked.entity.target!, lease: picked.lease, picked };
}

/** For pools that choose by it; null for others, and when there is nothing to read. */
function promptOf({ request: { body } }: Exchange, { balancing }: BackendEntity): number | null {
  if (balancing?.algorithm !== "promptPrefix" || body === null || !body.buffered || body.consumed)
    return null;
  let octets: Uint8Array;
  try {
    octets = body.bytes();
  } catch {
    // A coding that we do not know: the octets as they came are as good.
    octets = body.wire!;
  }
  return promptKey(octets, balancing.promptBytes);
}

/** A Single backend whose URL is a prefix of where the request goes applies even without `backend-id`. */
function entityByUrl(exchange: Exchange, target: Target): BackendEntity | null {
  const { backendsByUrl, options } = exchange.snapshot;
  if (!options.matchBackendsByUrl || backendsByUrl.length === 0) return null;
  const url = composeUrl(target, exchange.request.path, "");
  for (const entity of backendsByUrl) {
    const base = entity.target!;
    if (base.scheme !== url.scheme || base.host !== url.host || base.port !== url.port) continue;
    if (base.basePath === "" || url.path === base.basePath || url.path.startsWith(`${base.basePath}/`))
      return entity;
  }
  return null;
}

/** A stream can be sent once; what is in memory any number of times. */
function bodyToSend(exchange: Exchange): BodySource | Uint8Array | null {
  const { body } = exchange.request;
  if (body === null) return null;
  if (body.consumed && !body.spent)
    exchange.remark(
      "forward-request",
      "The request body was read without preserveContent and is sent empty.",
    );
  if (body.spent) {
    throw new GatewayError({
      source: "forward-request",
      reason: "RequestBodyAlreadySent",
      message:
        'The request body was streamed to a backend once and cannot be sent again; set buffer-request-body="true".',
      status: 500,
      code: "request_body_already_sent",
    });
  }
  return body.take();
}

function compose(
  exchange: Exchange,
  target: Target,
  body: BodySource | Uint8Array | null,
  options: ForwardOptions,
  abort: Abort,
): ClientRequest {
  const { request, incoming, snapshot } = exchange;
  const url = composeUrl(target, request.path, request.query);
  const headers = outgoingHeaders(exchange, target);
  const upgrade = incoming.upgrade && exchange.api?.type === "websocket";
  if (upgrade) addUpgrade(headers, incoming.rawHeaders);
  const entity = target.entity;
  const query =
    entity?.credentials == null
      ? url.queryString
      : attachCredentials(headers, url.queryString, entity.credentials, request.authorizationSet);
  if (snapshot.options.extendedForwarding) extendForwarding(headers, exchange);
  if (exchange.traceContext !== null)
    replaceHeader(headers, "traceparent", attemptTraceparent(exchange.traceContext));
  return {
    method: request.method,
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    target: url.path + query,
    rawHeaders: headers,
    body,
    abort,
    tls: withClientCertificate(
      entity?.tls ?? (snapshot.options.validateNames || upgrade ? null : ANY_NAME),
      request.clientCertificate,
    ),
    proxy: request.proxy ?? entity?.proxy ?? undefined,
    timeouts: timeoutsOf(options),
    upgrade,
    httpVersion: options.httpVersion,
    continueTimeoutMs: options.continueTimeoutMs ?? undefined,
  };
}

function outgoingHeaders(exchange: Exchange, target: Target): string[] {
  const { request, incoming } = exchange;
  const passed = withoutHopByHop(request.headers.raw);
  // A WebSocket handshake always goes out under the backend's own name (`routing.md` §7.1).
  const named = request.hostSet && exchange.api?.type !== "websocket" ? request.headers.get("host") : null;
  const headers: string[] = ["Host", named ?? target.authority];
  let forwardedFor = "";
  for (let i = 0; i < passed.length; i += 2) {
    const name = passed[i]!;
    if (sameName(name, "host")) continue;
    const lower = SUSPECT.has(name.length) ? name.toLowerCase() : "";
    if (lower !== "") {
      if (INTERNAL.has(lower)) continue;
      if (lower === "x-forwarded-for") {
        forwardedFor = forwardedFor === "" ? passed[i + 1]! : `${forwardedFor}, ${passed[i + 1]!}`;
        continue;
      }
      if (lower === "content-encoding" && request.body?.recoded === true) continue;
    }
    headers.push(name, passed[i + 1]!);
  }
  headers.push(
    "X-Forwarded-For",
    forwardedFor === "" ? incoming.remoteAddress : `${forwardedFor}, ${incoming.remoteAddress}`,
  );
  return headers;
}

const SUSPECT = new Set([...INTERNAL, "x-forwarded-for", "content-encoding"].map((name) => name.length));

/** RFC 6455 handshake fields are hop-by-hop and so were dropped; the tunnel needs them. */
function addUpgrade(headers: string[], received: readonly string[]): void {
  headers.push("Connection", "Upgrade");
  for (let i = 0; i < received.length; i += 2) {
    if (sameName(received[i]!, "upgrade")) headers.push("Upgrade", received[i + 1]!);
  }
}

function replaceHeader(headers: string[], name: string, value: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (sameName(headers[i]!, name)) headers.splice(i, 2);
  headers.push(name, value);
}

function extendForwarding(headers: string[], exchange: Exchange): void {
  const { scheme, host, port } = exchange.request.originalUrl;
  const standard = port === (scheme === "https" ? 443 : 80);
  headers.push("X-Forwarded-Proto", scheme, "X-Forwarded-Host", standard ? host : `${host}:${port}`);
}

/** 3xx inside the gateway: 303 (and 301/302 after POST) becomes GET, others repeat what can be repeated. */
async function followRedirects(
  exchange: Exchange,
  client: Client,
  first: ClientRequest,
  answer: ClientResponse,
  entity: BackendEntity | null,
): Promise<ClientResponse> {
  let request = first;
  let secret: ReadonlySet<string> | null = null;
  for (let turn = 0; turn < MOST_REDIRECTS; turn++) {
    const location = redirectLocation(answer);
    if (location === null) return answer;
    const next = resolveLocation(request, location);
    if (next === null) return answer;
    const toGet = answer.status === 303 || (answer.status < 303 && request.method === "POST");
    const replay = toGet
      ? null
      : exchange.request.body === null
        ? null
        : exchange.request.body.buffered
          ? exchange.request.body.take()
          : undefined;
    if (replay === undefined) return answer;
    answer.body?.cancel();
    const sameOrigin =
      next.host === request.host && next.port === request.port && next.scheme === request.scheme;
    if (!sameOrigin) secret ??= credentialHeaders(entity?.credentials);
    // Where else a backend sends us is its choice, not the configuration's.
    const refuse = sameOrigin ? request.refuse : refuseElsewhere(exchange, next.host);
    request = {
      ...request,
      method: toGet && request.method !== "HEAD" ? "GET" : request.method,
      scheme: next.scheme,
      host: next.host,
      port: next.port,
      target: next.basePath + (next.baseQuery === "" ? "" : `?${next.baseQuery}`),
      rawHeaders: redirectedHeaders(request.rawHeaders, next.authority, sameOrigin ? null : secret, toGet),
      body: replay,
      tls: sameOrigin ? request.tls : undefined,
      refuse,
    };
    answer = await client.send(request);
  }
  return answer;
}

function refuseElsewhere(exchange: Exchange, host: string): ClientRequest["refuse"] {
  const guard = egressGuard(exchange.snapshot.options.egress);
  if (guard.refusesHost(host))
    throw new TransportError("address_refused", `connections to ${host} are not allowed`);
  return guard.refuseFor(host);
}

function redirectLocation(answer: ClientResponse): string | null {
  if (
    answer.status !== 301 &&
    answer.status !== 302 &&
    answer.status !== 303 &&
    answer.status !== 307 &&
    answer.status !== 308
  ) {
    return null;
  }
  return new HeaderList(answer.rawHeaders).get("location");
}

function resolveLocation(request: ClientRequest, location: string): Target | null {
  const base = `${request.scheme}://${request.host.includes(":") ? `[${request.host}]` : request.host}:${request.port}${request.target}`;
  if (!URL.canParse(location, base)) return null;
  const url = new URL(location, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const target = parseTarget(url.href);
  return target === null ? null : { ...target, basePath: url.pathname };
}

/** Credentials stay with the origin they were meant for. */
function redirectedHeaders(
  raw: readonly string[],
  authority: string,
  secret: ReadonlySet<string> | null,
  toGet: boolean,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (name === "host") kept.push("Host", authority);
    else if (secret?.has(name) === true) continue;
    else if (toGet && name.startsWith("content-")) continue;
    else kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

function pathOnly(target: string): string {
  const at = target.indexOf("?");
  return at < 0 ? target : target.slice(0, at);
}

function failed(exchange: Exchange, attempt: Attempt, abort: Abort, error: unknown): unknown {
  if (!(error instanceof TransportError)) return error;
  const late = abort.reason === "deadline" && !exchange.abort.aborted;
  attempt.error ??= late ? "deadline_exceeded" : error.code;
  if (exchange.traced !== null) traceAnswer(exchange, attempt, null);
  if (exchange.abort.aborted && exchange.abort.reason === "client") return new ClientGone();
  if (error.code.startsWith("client_") || error.code === "body_too_large" || error.code === "bad_framing")
    return error;
  if (late) return deadlineOver(exchange, exchange.deadlineMs!);
  const timedOut = error.code.endsWith("_timeout");
  const own = exchange.snapshot.options.gatewayStatusCodes;
  return new GatewayError({
    source: "forward-request",
    reason: timedOut ? "Timeout" : "BackendConnectionFailure",
    message: error.message,
    status: own ? (timedOut ? 504 : 502) : 500,
    clientMessage: own ? (timedOut ? "Gateway Timeout" : "Bad Gateway") : undefined,
    code: error.code,
    cause: error,
  });
}

/** Nothing is sent any more: what is left of `forward-request`'s deadline is nothing. */
function deadlineOver(exchange: Exchange, deadlineMs: number): GatewayError {
  const own = exchange.snapshot.options.gatewayStatusCodes;
  return new GatewayError({
    source: "forward-request",
    reason: "Timeout",
    message: `There was no answer within ${deadlineMs / 1000} s of the request's beginning, over all attempts.`,
    status: own ? 504 : 500,
    clientMessage: own ? "Gateway Timeout" : undefined,
    code: "deadline_exceeded",
  });
}

function notConfigured(): GatewayError {
  return new GatewayError({
    source: "forward-request",
    reason: "BackendServiceNotConfigured",
    message:
      "Neither the API nor a policy says where to send the request: set serviceUrl, backendId or set-backend-service.",
    status: 500,
    code: "backend_not_configured",
  });
}
