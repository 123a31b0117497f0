/**
 * What can go wrong with an exchange, in the words that authors meet in `context.LastError`
 * (`policies-document.md` §6). Reasons and their client texts are defined here, once.
 */
import type { Site } from "../compiler/policy.ts";

export interface ErrorFields {
  /** Policy element or built-in step. */
  readonly source: string;
  readonly reason: string;
  /** For `LastError.Message` and the log. */
  readonly message: string;
  readonly status: number;
  /** What the client reads; default: `message`, and for status 500 always `Internal server error`. */
  readonly clientMessage?: string;
  /** Reason phrase of the error response; default: the standard one of `status`. */
  readonly statusReason?: string;
  /** Flat list, added to the error response. */
  readonly headers?: readonly string[];
  /** A stable word for the log, such as `gateway_timeout_headers`. */
  readonly code?: string;
  /** Refusals of our own: `code` and `requestId` follow the two documented members. */
  readonly own?: boolean;
  /** The response so far stays as the pending one (`fail-on-error-status-code`). */
  readonly keepResponse?: boolean;
  /**
   * A `retry` condition sees the built-in answer as `context.Response`: the gateway's own 503 of a breaker or pool
   * (`policies.md` 3).
   */
  readonly showsResponse?: boolean;
  readonly cause?: unknown;
}

/** Thrown by router, admission, policies and backends; caught in `pipeline.ts` alone. */
export class GatewayError extends Error {
  readonly source: string;
  readonly reason: string;
  readonly status: number;
  readonly clientMessage: string;
  readonly statusReason: string;
  readonly headers: readonly string[];
  readonly code: string;
  readonly own: boolean;
  readonly keepResponse: boolean;
  readonly showsResponse: boolean;
  /** Where it happened; set by the pipeline at the innermost step. */
  site: Site | null = null;

  constructor(fields: ErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = "GatewayError";
    this.source = fields.source;
    this.reason = fields.reason;
    // An attribute may name any number; only these can end an exchange.
    this.status = fields.status >= 200 && fields.status <= 999 ? fields.status : 500;
    this.clientMessage = fields.clientMessage ?? (this.status === 500 ? INTERNAL : fields.message);
    this.statusReason = fields.statusReason ?? "";
    this.headers = fields.headers ?? [];
    this.code = fields.code ?? fields.reason;
    this.own = fields.own ?? false;
    this.keepResponse = fields.keepResponse ?? false;
    this.showsResponse = fields.showsResponse ?? false;
  }
}

/** The client hung up: nothing is answered, the record says 499. */
export class ClientGone extends Error {
  constructor() {
    super("The client closed the connection.");
    this.name = "ClientGone";
  }
}

export const INTERNAL = "Internal server error";

export const operationNotFound = (): GatewayError =>
  new GatewayError({
    source: "configuration",
    reason: "OperationNotFound",
    message: "Unable to match incoming request to an operation.",
    status: 404,
    clientMessage: "Resource not found",
    code: "operation_not_found",
  });

export const subscriptionKeyMissing = (challenge: string): GatewayError =>
  new GatewayError({
    source: "authorization",
    reason: "SubscriptionKeyNotFound",
    message:
      "Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API.",
    status: 401,
    clientMessage:
      "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
    headers: ["WWW-Authenticate", challenge],
    code: "subscription_key_missing",
  });

export const subscriptionKeyInvalid = (challenge: string): GatewayError =>
  new GatewayError({
    source: "authorization",
    reason: "SubscriptionKeyInvalid",
    message:
      "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.",
    status: 401,
    headers: ["WWW-Authenticate", challenge],
    code: "subscription_key_invalid",
  });

export const expressionFailed = (source: string, message: string, cause: unknown): GatewayError =>
  new GatewayError({
    source,
    reason: "ExpressionValueEvaluationFailure",
    message: `Expression evaluation failed. ${message}`,
    status: 500,
    code: "expression_failed",
    cause,
  });

/** A body was larger than what may be held in memory, or than the API allows. */
export const bodyTooLarge = (what: "request" | "response", limitBytes: number): GatewayError =>
  new GatewayError({
    source: "gateway",
    reason: what === "request" ? "RequestBodyTooLarge" : "ResponseBodyTooLarge",
    message: `The ${what} body is larger than ${limitBytes} bytes.`,
    status: what === "request" ? 413 : 500,
    code: what === "request" ? "body_too_large" : "response_too_large",
    own: what === "request",
  });

/**
 * The JSON of every answer that the gateway makes itself, in the exact spacing of `policies-document.md` §6.3.
 * Unexpected failures carry the request's id as `activityId`.
 */
export function errorBody(error: GatewayError, requestId: string): string {
  const message = JSON.stringify(error.clientMessage);
  if (error.own) {
    const code = JSON.stringify(error.code);
    return `{ "statusCode": ${error.status}, "message": ${message}, "code": ${code}, "requestId": "${requestId}" }`;
  }
  if (error.status === 500 && error.clientMessage === INTERNAL) {
    return `{ "statusCode": 500, "message": ${message}, "activityId": "${requestId}" }`;
  }
  return `{ "statusCode": ${error.status}, "message": ${message} }`;
}
