/**
 * Carries an exchange through its plan.
 *
 *     route → admit → inbound → backend → outbound ─┐
 *       └────────┴────────┴─ error ─┴──────┴→ on-error → reply
 *
 * Steps run strictly in order. A step that has nothing to wait for costs no promise: lists run in a plain loop, and
 * only when a step answers with a promise does the rest go on in an async function. Errors are caught here alone.
 */
import { NetException, BudgetError } from "../compiler/runtime/errors.ts";
import {
  NEEDS_REQUEST_BODY,
  NEEDS_RESPONSE_BODY,
  type Needs,
  type Plan,
  type Section,
  type Site,
  type Step,
} from "../compiler/policy.ts";
import { HeaderList } from "../base/headers.ts";
import { TransportError } from "../transport/transport.ts";
import { Body } from "./body.ts";
import { CutOff } from "./cut-off.ts";
import { ClientGone, GatewayError, errorBody, expressionFailed } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { type Message, ResponseMessage } from "./message.ts";
import { type Outcome, SkipToOutbound } from "./policy.ts";

/**
 * Runs a list of steps on `exchange`.
 *
 * @param message what set-header and its kin act on; null = the section's own message
 * @returns what ended the list early, or nothing; a promise only when a step had to wait
 */
export function runSteps(
  steps: readonly Step[],
  exchange: Exchange,
  message: Message | null,
  from = 0,
): Outcome | Promise<Outcome> {
  for (let i = from; i < steps.length; i++) {
    const step = steps[i]!;
    const outcome = runStep(step, exchange, message);
    if (outcome === undefined) continue;
    if (outcome instanceof Promise) return resume(outcome, steps, exchange, message, i + 1);
    return outcome;
  }
}

async function resume(
  pending: Promise<Outcome>,
  steps: readonly Step[],
  exchange: Exchange,
  message: Message | null,
  from: number,
): Promise<Outcome> {
  const outcome = await pending;
  if (outcome !== undefined) return outcome;
  throwIfGone(exchange);
  return runSteps(steps, exchange, message, from);
}

function runStep(step: Step, exchange: Exchange, message: Message | null): Outcome | Promise<Outcome> {
  if (exchange.traced !== null) return runTraced(step, exchange, message);
  return runPlain(step, exchange, message);
}

function runPlain(step: Step, exchange: Exchange, message: Message | null): Outcome | Promise<Outcome> {
  try {
    if (step.needs !== 0) {
      const waiting = ensureBodies(exchange, step.needs);
      if (waiting !== undefined) return afterBodies(waiting, step, exchange, message);
    }
    const outcome = step.run(exchange, message) as Outcome | Promise<Outcome>;
    return outcome instanceof Promise ? located(outcome, step.site) : outcome;
  } catch (error) {
    throw locate(error, step.site);
  }
}

function runTraced(step: Step, exchange: Exchange, message: Message | null): Outcome | Promise<Outcome> {
  const traced = exchange.traced!;
  const token = traced.begin(step, exchange);
  let outcome: Outcome | Promise<Outcome>;
  try {
    outcome = runPlain(step, exchange, message);
  } catch (error) {
    traced.end(token, exchange, error);
    throw error;
  }
  if (!(outcome instanceof Promise)) {
    traced.end(token, exchange, null);
    return outcome;
  }
  return outcome.then(
    (value) => {
      traced.end(token, exchange, null);
      return value;
    },
    (error: unknown) => {
      traced.end(token, exchange, error);
      throw error;
    },
  );
}

async function afterBodies(
  waiting: Promise<void>,
  step: Step,
  exchange: Exchange,
  message: Message | null,
): Promise<Outcome> {
  try {
    await waiting;
    throwIfGone(exchange);
    return await (step.run(exchange, message) as Outcome | Promise<Outcome>);
  } catch (error) {
    throw locate(error, step.site);
  }
}

async function located(pending: Promise<Outcome>, site: Site): Promise<Outcome> {
  try {
    return await pending;
  } catch (error) {
    throw locate(error, site);
  }
}

/** Brings the bodies a value mentions into memory, with the gateway's limit. Nothing to wait for is the rule. */
export function ensureBodies(exchange: Exchange, needs: Needs): Promise<void> | undefined {
  const limit = exchange.snapshot.options.bufferLimitBytes;
  let waiting: Promise<void> | undefined;
  if ((needs & NEEDS_REQUEST_BODY) !== 0 && exchange.request.body !== null && unread(exchange.request.body)) {
    waiting = exchange.request.body.buffer(limit) as Promise<void>;
  }
  const responseBody = exchange.response?.body;
  if ((needs & NEEDS_RESPONSE_BODY) !== 0 && responseBody != null && unread(responseBody)) {
    const response = responseBody.buffer(limit) as Promise<void>;
    waiting = waiting === undefined ? response : Promise.all([waiting, response]).then(() => {});
  }
  return waiting;
}

/** Still on its way. A stream that was handed out is gone: expressions are told so. */
function unread(body: Body): boolean {
  return !body.buffered && !body.consumed;
}

/** Makes a GatewayError of whatever a step threw and notes the innermost step it came from. */
function locate(error: unknown, site: Site): unknown {
  if (error instanceof ClientGone) return error;
  const failure = toGatewayError(error, site.element);
  failure.site ??= site;
  return failure;
}

/** Whatever was thrown, in the author's words. */
export function toGatewayError(error: unknown, source: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof CutOff) return error.failure;
  if (error instanceof NetException || error instanceof BudgetError)
    return expressionFailed(source, error.message, error);
  if (error instanceof TransportError) return ofTransport(error, source);
  return new GatewayError({
    source,
    reason: "InternalError",
    message: error instanceof Error ? error.message : String(error),
    status: 500,
    code: "internal_error",
    cause: error,
  });
}

/** Faults of the caller's own message, which get an answer of their own. */
const CALLER_FAULTS: ReadonlyMap<
  string,
  { readonly status: number; readonly message: string; readonly reason: string }
> = new Map([
  [
    "client_body_timeout",
    { status: 408, message: "The request body did not arrive in time.", reason: "ClientConnectionFailure" },
  ],
  [
    "body_too_large",
    { status: 413, message: "The request body is too large.", reason: "RequestBodyTooLarge" },
  ],
  [
    "bad_framing",
    {
      status: 400,
      message: "The request body breaks the rules of its transfer coding.",
      reason: "BadRequestFraming",
    },
  ],
]);

function ofTransport(error: TransportError, source: string): GatewayError {
  const fault = CALLER_FAULTS.get(error.code);
  const client = error.code.startsWith("client_");
  return new GatewayError({
    source,
    reason:
      fault?.reason ??
      (client
        ? "ClientConnectionFailure"
        : error.code.endsWith("timeout")
          ? "Timeout"
          : "BackendConnectionFailure"),
    message: error.message,
    status: fault?.status ?? 500,
    clientMessage: fault?.message,
    own: fault !== undefined,
    code: error.code,
    cause: error,
  });
}

function throwIfGone(exchange: Exchange): void {
  if (exchange.abort.aborted) throw new ClientGone();
}

/**
 * Runs inbound, backend and outbound, and on-error when one of them fails. Afterwards `exchange.response` is what
 * the client gets.
 *
 * @throws ClientGone (rejects with it) when there is nobody to answer
 */
export function runPlan(exchange: Exchange, plan: Plan): void | Promise<void> {
  let result: void | Promise<void>;
  try {
    result = runFrom(exchange, plan, 0, null);
  } catch (error) {
    return fail(exchange, plan, error);
  }
  return result instanceof Promise ? result.catch((error: unknown) => fail(exchange, plan, error)) : result;
}

const ORDER: readonly Section[] = ["inbound", "backend", "outbound"];

function runFrom(
  exchange: Exchange,
  plan: Plan,
  index: number,
  skipAfter: readonly string[] | null,
): void | Promise<void> {
  for (let i = index; i < ORDER.length; i++) {
    const section = ORDER[i]!;
    const steps = plan[section as "inbound" | "backend" | "outbound"];
    exchange.section = section;
    if (section === "outbound") {
      // What a call to a model cost is known from here on, in outbound's variables, too.
      const settling = exchange.modelCall?.kept();
      if (settling !== undefined) return settling.then(() => runFrom(exchange, plan, i, skipAfter));
    }
    if (steps === null) continue;
    let from = 0;
    if (skipAfter !== null && section === "outbound") {
      from = steps.findIndex((step) => skipAfter.includes(step.site.element)) + 1;
    }
    const outcome = runSteps(steps, exchange, null, from);
    if (outcome === undefined) continue;
    if (outcome instanceof Promise) {
      return outcome.then((value) => {
        throwIfGone(exchange);
        return settleSection(exchange, plan, i, value, skipAfter);
      });
    }
    return settleSection(exchange, plan, i, outcome, skipAfter);
  }
}

function settleSection(
  exchange: Exchange,
  plan: Plan,
  index: number,
  outcome: Outcome,
  skipAfter: readonly string[] | null,
): void | Promise<void> {
  if (outcome === undefined) return runFrom(exchange, plan, index + 1, skipAfter);
  if (outcome instanceof SkipToOutbound) {
    exchange.servedFromCache = true;
    const { after } = outcome;
    if (exchange.answerChecks === null || exchange.response === null)
      return runFrom(exchange, plan, 2, after);
    return exchange.checkAnswer(exchange.response).then(() => runFrom(exchange, plan, 2, after));
  }
  if (outcome !== exchange.response) exchange.response?.body?.discard();
  exchange.response = outcome;
}

/**
 * An error anywhere on the way: the built-in response becomes pending, `LastError` is filled, on-error runs once.
 * Also entered directly for a request that matched nothing or was not admitted.
 */
export function fail(exchange: Exchange, plan: Plan, thrown: unknown): void | Promise<void> {
  if (thrown instanceof ClientGone || (exchange.abort.aborted && exchange.abort.reason === "client"))
    throw new ClientGone();
  const error = toGatewayError(thrown, "gateway");
  exchange.error = error;
  if (error.reason === "InternalError") exchange.services.reportBug(exchange, error);
  exchange.lastError = lastErrorOf(error, exchange);
  if (!error.keepResponse || exchange.response === null) {
    exchange.response?.body?.discard();
    exchange.response = builtInResponse(error, exchange.requestId);
  }
  exchange.section = "on-error";
  exchange.traced?.failed(exchange);
  if (plan.onError === null) return;
  let outcome: Outcome | Promise<Outcome>;
  try {
    outcome = runSteps(plan.onError, exchange, null);
  } catch (second) {
    return keepFirst(exchange, second);
  }
  if (outcome instanceof Promise) {
    return outcome.then(
      (value) => takeResponse(exchange, value),
      (second: unknown) => keepFirst(exchange, second),
    );
  }
  takeResponse(exchange, outcome);
}

function takeResponse(exchange: Exchange, outcome: Outcome): void {
  if (outcome === undefined || outcome instanceof SkipToOutbound) return;
  if (outcome !== exchange.response) exchange.response?.body?.discard();
  exchange.response = outcome;
}

/** A second error, inside on-error: the first one's response stands as modified so far; this one is only logged. */
function keepFirst(exchange: Exchange, second: unknown): void {
  if (second instanceof ClientGone) throw second;
  exchange.secondError = toGatewayError(second, "on-error");
}

/** The answer to an error as the client gets it when nobody changes it. */
export function builtInResponse(error: GatewayError, requestId: string): ResponseMessage {
  const headers = new HeaderList(["Content-Type", "application/json", ...error.headers]);
  return new ResponseMessage(
    error.status,
    error.statusReason,
    headers,
    Body.text("response", errorBody(error, requestId)),
  );
}

/** What `context.LastError` shows of an error. */
export function lastErrorOf(error: GatewayError, exchange: Exchange): Exchange["lastError"] {
  const site = error.site;
  return {
    source: error.source,
    reason: error.reason,
    message: error.message,
    scope: site?.scope ?? "",
    section: site?.section ?? exchange.section,
    path: site?.path ?? "",
    policyId: site?.policyId ?? "",
    httpErrorCode: error.status,
  };
}
