/**
 * Where a request enters: takes the current snapshot, makes the exchange, sends it through router, admission and
 * pipeline, replies, and hands the finished exchange to the log. Health paths are answered here, before anything.
 */
import { HeaderList } from "../base/headers.ts";
import type { Incoming } from "../transport/transport.ts";
import { admit, identify } from "./admission.ts";
import { Body } from "./body.ts";
import { callerBehind } from "./caller.ts";
import { diagnose } from "./observing/diagnose.ts";
import { ClientGone, GatewayError, operationNotFound } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { RequestMessage } from "./message.ts";
import { ensureBodies, fail, runPlan } from "./pipeline.ts";
import { answersPolicyFile } from "./policy-file.ts";
import { sendReply } from "./reply.ts";
import { preflightSteps, route } from "./router.ts";
import { runPreflight } from "./preflight.ts";
import type { Services } from "./services.ts";
import type { Operation, Plan, Product, Snapshot } from "./snapshot.ts";
import { originalUrlOf, splitTarget } from "./url.ts";
import { proxyWebSocket } from "./websocket.ts";

export interface Gateway {
  /** The listener's callback. */
  readonly onRequest: (incoming: Incoming) => void;
  /** Puts a new snapshot in place; requests under way finish on theirs. */
  swap(snapshot: Snapshot): void;
  readonly snapshot: Snapshot | null;
  /** Exchanges under way. */
  readonly inFlight: number;
}

export interface GatewayHooks {
  readonly services: Services;
  /** A new GUID, lower case. */
  readonly newRequestId: () => string;
  /** An exchange is over: log it, settle counters. */
  readonly onDone: (exchange: Exchange) => void;
  /** Answers `/livez` and its kin; true when the path was one of them. */
  readonly health: (incoming: Incoming, path: string) => boolean;
  /** Whether the caller may have this request traced; null = no. */
  readonly startTrace?: (exchange: Exchange) => void;
}

export function createGateway(hooks: GatewayHooks): Gateway {
  let current: Snapshot | null = null;
  let inFlight = 0;

  function onRequest(incoming: Incoming): void {
    if (hooks.health(incoming, incoming.target)) return;
    if (current === null) {
      incoming.reply.send(503, "", JSON_TYPE, encoder.encode(NOT_READY));
      return;
    }
    const requestId = hooks.newRequestId();
    const split = splitTarget(incoming.target);
    const headers = new HeaderList(incoming.rawHeaders);
    const { trustedProxies } = current.options;
    const caller =
      trustedProxies.length === 0 ? null : callerBehind(incoming.remoteAddress, headers, trustedProxies);
    const scheme = caller?.scheme ?? (incoming.encrypted ? "https" : "http");
    const url = originalUrlOf(scheme, headers.get("host") ?? "", split ?? { path: "/", query: "" });
    const request = new RequestMessage({
      method: incoming.method,
      headers,
      body: incoming.body === null ? null : Body.streaming("request", incoming.body, headers),
      originalUrl: url,
      path: url.path,
      query: split?.query ?? "",
      ipAddress: caller === null ? incoming.remoteAddress : caller.address,
      certificate: () => incoming.clientCertificate(),
    });
    const exchange = new Exchange(incoming, request, current, hooks.services, requestId);
    hooks.services.spans?.begin(exchange);
    inFlight++;
    let over = false;
    // A reply that fails half-way announces its end twice.
    const finish = (): void => {
      if (over) return;
      over = true;
      inFlight--;
      tellListeners(exchange);
      hooks.onDone(exchange);
    };
    let running: void | Promise<void>;
    try {
      running = split === null ? fail(exchange, current.globalPlan, badTarget()) : process(exchange, hooks);
    } catch (error) {
      return afterFailure(exchange, error, finish);
    }
    if (running instanceof Promise) {
      running.then(
        () => answer(exchange, finish),
        (error: unknown) => afterFailure(exchange, error, finish),
      );
    } else answer(exchange, finish);
  }

  return {
    onRequest,
    swap(snapshot) {
      current = snapshot;
    },
    get snapshot() {
      return current;
    },
    get inFlight() {
      return inFlight;
    },
  };
}

const encoder = new TextEncoder();
const JSON_TYPE = ["Content-Type", "application/json"];
const NOT_READY = '{ "statusCode": 503, "message": "Service Unavailable" }';

function badTarget(): GatewayError {
  return new GatewayError({
    source: "gateway",
    reason: "BadRequestTarget",
    message:
      "The request target is not acceptable: invalid escapes, backslashes, control characters or hidden dot segments.",
    status: 400,
    code: "bad_target",
    own: true,
  });
}

/** Router, admission, plan. What comes back is for `answer`. */
function process(exchange: Exchange, hooks: GatewayHooks): void | Promise<void> {
  const { snapshot, request } = exchange;
  const match = route(snapshot, exchange);
  if (match.kind === "none") {
    const preflight = preflightSteps(snapshot, exchange, match);
    const plan = match.api?.plan ?? snapshot.globalPlan;
    if (preflight !== null) {
      try {
        return runPreflight(exchange, preflight);
      } catch (error) {
        return fail(exchange, plan, error);
      }
    }
    if (answersPolicyFile(exchange, plan)) return;
    exchange.api = match.api;
    identify(snapshot, exchange);
    hooks.startTrace?.(exchange);
    return fail(exchange, plan, operationNotFound());
  }
  exchange.api = match.api;
  exchange.operation = match.operation;
  request.matchedParameters = match.parameters;
  request.rawParameters = match.rawParameters;
  request.setPath(match.remainder);
  if (match.api.target !== null) request.setTarget(match.api.target);
  exchange.incoming.limitBody(match.api.bodyLimitBytes ?? snapshot.options.bodyLimitBytes);
  hooks.startTrace?.(exchange);
  if (match.api.diagnostics !== null) diagnose(exchange, match.api.diagnostics);
  try {
    admit(snapshot, exchange);
  } catch (error) {
    return fail(exchange, match.api.plan, error);
  }
  return runPlan(exchange, planFor(match.operation, exchange.product));
}

function planFor(operation: Operation, product: Product | null): Plan {
  if (product === null) return operation.plan;
  return operation.productPlans.get(product.id) ?? operation.plan;
}

function answer(exchange: Exchange, finish: () => void): void {
  const listeners = exchange.abort.aborted ? null : exchange.takeReplyListeners();
  if (listeners === null) return send(exchange, finish);
  const needs = listeners.reduce((all, listener) => all | listener.needs, 0);
  const waiting = needs === 0 ? undefined : ensureBodies(exchange, needs);
  const tell = (): void => {
    for (const { run } of listeners) run();
  };
  if (waiting === undefined) {
    tell();
    return send(exchange, finish);
  }
  waiting
    .then(tell, (error: unknown) => {
      tell();
      throw error;
    })
    .then(
      () => send(exchange, finish),
      (error: unknown) => afterFailure(exchange, error, finish),
    );
}

/** Those who wait for a reply that never came, and those who wait for the end. */
function tellListeners(exchange: Exchange): void {
  const replies = exchange.takeReplyListeners();
  if (replies !== null) for (const { run } of replies) run();
  const ends = exchange.takeEndListeners();
  if (ends !== null) for (const run of ends) run();
}

function send(exchange: Exchange, finish: () => void): void {
  try {
    if (exchange.abort.aborted) return abandon(exchange, finish);
    if (exchange.tunnel !== null) {
      if (exchange.response?.statusCode === 101) return proxyWebSocket(exchange, finish);
      // An error or a policy answers instead of the backend.
      exchange.tunnel.close();
      exchange.tunnel = null;
    }
    sendReply(exchange, finish);
  } catch (error) {
    afterFailure(exchange, error, finish);
  }
}

/** The client is gone: nothing to send; frees what the exchange holds. */
function abandon(exchange: Exchange, finish: () => void): void {
  exchange.response?.body?.discard();
  exchange.request.body?.discard();
  exchange.tunnel?.close();
  finish();
}

/** Not even an error answer could be made. */
function afterFailure(exchange: Exchange, error: unknown, finish: () => void): void {
  if (error instanceof ClientGone || exchange.abort.aborted) return abandon(exchange, finish);
  const failure = new GatewayError({
    source: "gateway",
    reason: "InternalError",
    message: error instanceof Error ? error.message : String(error),
    status: 500,
    code: "internal_error",
    cause: error,
  });
  exchange.error ??= failure;
  exchange.services.reportBug(exchange, failure);
  exchange.response?.body?.discard();
  const { reply } = exchange.incoming;
  reply.onFinish(finish);
  if (reply.started) return;
  const body = `{ "statusCode": 500, "message": "Internal server error", "activityId": "${exchange.requestId}" }`;
  try {
    reply.send(500, "", JSON_TYPE, encoder.encode(body));
  } catch {
    // The adapter refuses to answer at all; it closes the connection itself.
    finish();
  }
}
