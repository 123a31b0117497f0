import { GatewayError } from "../../gateway/errors.ts";
import { definePolicy } from "../../gateway/policy.ts";

const MOST_TIMEOUT_MS = 0x7fffffff;

/** Sends `context.Request` to the backend and puts its answer into `context.Response`. */
export const forwardRequest = definePolicy({
  element: "forward-request",
  summary: "Sends the request to the backend and makes its answer the pending response.",
  sections: ["backend"],
  shape: {
    attributes: {
      timeout: {
        type: "number",
        expression: true,
        min: 0,
        doc: "Seconds to wait for response headers; 0 = no limit. Default 300.",
      },
      "timeout-ms": {
        type: "number",
        expression: true,
        min: 0,
        doc: "The same in milliseconds; not together with timeout.",
      },
      "first-byte-timeout": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Ours. Seconds from the headers to the first byte of the body: until then retry can turn to another backend.",
      },
      "chunk-timeout": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Ours. Seconds between two chunks of the response; 0 = no limit. Default 120.",
      },
      "total-timeout": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Ours. Seconds until the last byte of the response. Default: no limit.",
      },
      deadline: {
        type: "number",
        expression: true,
        min: 0,
        doc: "Ours. Seconds from the request's beginning to the answer of the last attempt: retry and failover end by then.",
      },
      "continue-timeout": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Seconds to wait for 100 Continue before the body is sent.",
      },
      "http-version": {
        type: "string",
        oneOf: ["1", "2", "2or1"],
        default: "1",
        doc: "HTTP version towards the backend.",
      },
      "follow-redirects": {
        type: "bool",
        expression: true,
        default: false,
        doc: "Follow 3xx here instead of returning it.",
      },
      "buffer-request-body": {
        type: "bool",
        default: false,
        doc: "Keep the body so that retry can send it again.",
      },
      "buffer-response": {
        type: "bool",
        default: true,
        doc: "Chunks are gathered, 8 KB at a time; false: each is passed on at once, as event streams always are.",
      },
      "fail-on-error-status-code": {
        type: "bool",
        default: false,
        doc: "Statuses 400 to 599 raise an error; on-error runs.",
      },
    },
  },
  check: ({ attributes }, report) => {
    if (attributes.timeout !== undefined && attributes["timeout-ms"] !== undefined) {
      report("timeout and timeout-ms cannot stand together", { attribute: "timeout-ms" }, "keep one of them");
    }
  },
  prepare: ({ attributes }) => {
    const { timeout, "timeout-ms": timeoutMs, "continue-timeout": continueTimeout } = attributes;
    const { "follow-redirects": followRedirects, "fail-on-error-status-code": failOnError } = attributes;
    const firstByte = attributes["first-byte-timeout"];
    const chunk = attributes["chunk-timeout"];
    const total = attributes["total-timeout"];
    const { deadline } = attributes;
    const httpVersion = attributes["http-version"] as "1" | "2" | "2or1";
    const bufferRequestBody = attributes["buffer-request-body"];
    const bufferResponse = attributes["buffer-response"];
    return (exchange) => {
      const { context } = exchange;
      const wait = timeoutMs !== undefined ? timeoutMs(context) : (timeout?.(context) ?? 300) * 1000;
      exchange.response?.body?.discard();
      exchange.response = null;
      exchange.tunnel?.close();
      exchange.tunnel = null;
      return exchange
        .forward({
          timeoutMs: timerMs(wait),
          firstByteMs: firstByte === undefined ? undefined : timerMs(firstByte(context) * 1000) || undefined,
          chunkMs: chunk === undefined ? undefined : timerMs(chunk(context) * 1000),
          totalMs: total === undefined ? undefined : timerMs(total(context) * 1000) || undefined,
          deadlineMs: deadline === undefined ? undefined : timerMs(deadline(context) * 1000) || undefined,
          continueTimeoutMs: continueTimeout === undefined ? null : continueTimeout(context) * 1000,
          httpVersion,
          followRedirects: followRedirects(context),
          bufferRequestBody,
          bufferResponse,
        })
        .then((response) => {
          exchange.response = response;
          if (failOnError && response.statusCode >= 400 && response.statusCode <= 599)
            throw badStatus(response.statusCode);
        });
    };
  },
});

/** What a timer can take; whatever is no number is none. */
function timerMs(ms: number): number {
  return ms > 0 ? Math.min(ms, MOST_TIMEOUT_MS) : 0;
}

/** The backend's answer stays the pending response. */
function badStatus(status: number): GatewayError {
  return new GatewayError({
    source: "forward-request",
    reason: "BackendErrorStatusCode",
    message: `The backend answered ${status}.`,
    status,
    keepResponse: true,
    code: "backend_error_status",
  });
}
