/**
 * Refusals in OpenAI's error shape: `{ "error": { "message", "type", "param", "code" } }`. Thrown by the
 * readers of requests, turned into an answer in `model.ts` alone.
 */
export class ApiFailure extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  /** Flat list of extra response headers. */
  readonly headers: string[];

  constructor(status: number, message: string, details: FailureDetails = {}) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.type = details.type ?? "invalid_request_error";
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? [];
  }

  /** The response body as JSON text. */
  body(): string {
    return JSON.stringify(this.toJSON(), null, 2);
  }

  toJSON(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

export interface FailureDetails {
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly headers?: string[];
}

/** 400 for one parameter. */
export function badParameter(param: string, code: string | null, message: string): ApiFailure {
  return new ApiFailure(400, message, { param, code });
}

const SERVER_ERROR = "The server had an error while processing your request. Sorry about that!";

/** What OpenAI says with each status; used when a caller orders a failure (`x-demo-status`). */
const ORDERED: Record<number, [message: string, type: string, code: string | null]> = {
  401: ["Incorrect API key provided.", "invalid_request_error", "invalid_api_key"],
  403: ["You are not allowed to do this.", "invalid_request_error", "permission_denied"],
  404: [
    "The model does not exist or you do not have access to it.",
    "invalid_request_error",
    "model_not_found",
  ],
  429: ["Rate limit reached for requests.", "requests", "rate_limit_exceeded"],
  503: ["The server is currently overloaded with other requests.", "server_error", "server_overloaded"],
};

/** The failure a caller ordered by status, 400–599. */
export function orderedFailure(status: number, retryAfter: string | null): ApiFailure {
  const [message, type, code] =
    ORDERED[status] ??
    (status >= 500
      ? [SERVER_ERROR, "server_error", null]
      : ["The request was refused, as x-demo-status asked.", "invalid_request_error", null]);
  return new ApiFailure(status, message, {
    type,
    code,
    headers: retryAfter === null ? [] : ["Retry-After", retryAfter],
  });
}
