/** What a caller is told, and the log with it, when the adapter answers in place of the gateway. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Refusal } from "../transport.ts";
import type { Fault } from "./request-head.ts";

/** RFC 9110 §15.5.6: a 405 says what would have been allowed. */
export const ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

export function toRefusal(fault: Fault, remoteAddress: string, underWay: boolean): Refusal {
  const { status, code, detail, method, target } = fault;
  return { status, code, detail, requestId: randomUUID(), remoteAddress, method, target, underWay };
}

/** The body of the answer: JSON in ASCII. */
export function refusalText({ status, code, detail, requestId }: Refusal): string {
  const message = `${STATUS_CODES[status]}: ${detail}`;
  return (
    `{ "statusCode": ${status}, "message": ${JSON.stringify(message)}, ` +
    `"code": "${code}", "requestId": "${requestId}" }`
  );
}
