/**
 * Requests to the Dapr sidecar over its HTTP interface (`policies.md` 53). The sidecar is where Dapr's own variables say
 * (`DAPR_HTTP_ENDPOINT`, `DAPR_HTTP_PORT`), else at localhost:3500; it is configured, so the egress guard lets it be.
 */
import { HeaderList } from "../../base/headers.ts";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ResponseMessage } from "../../gateway/message.ts";
import { toGatewayError } from "../../gateway/pipeline.ts";
import type { Args } from "../../gateway/policy.ts";
import type { DaprOptions, EgressOptions } from "../../gateway/snapshot.ts";
import { parseTarget } from "../../gateway/url.ts";
import { callOut } from "./call-out.ts";

/**
 * Where the sidecar is, by the variables that Dapr itself gives to what runs beside it.
 *
 * @throws Error when they do not make a URL
 */
export function readDapr(environment: Readonly<Record<string, string | undefined>>): DaprOptions {
  const given =
    environment["DAPR_HTTP_ENDPOINT"] ?? `http://localhost:${environment["DAPR_HTTP_PORT"] ?? "3500"}`;
  const target = parseTarget(given);
  if (target === null) throw new Error(`DAPR_HTTP_ENDPOINT and DAPR_HTTP_PORT make no URL: ${given}`);
  return { target, token: environment["DAPR_API_TOKEN"] ?? null };
}

/** What the policies that send to Dapr have in common. */
export const DAPR_CALL = {
  "ignore-error": {
    type: "bool",
    default: false,
    doc: "true: a failure goes no further; otherwise it leads to on-error.",
  },
  "response-variable-name": {
    type: "string",
    doc: "The variable that gets Dapr's response, with its body in memory.",
  },
  timeout: {
    type: "number",
    expression: true,
    min: 1,
    max: 240,
    default: 5,
    doc: "Seconds until the answer must be there, 1 to 240.",
  },
  template: { type: "string", oneOf: ["Liquid"], doc: "Liquid: the content is a Liquid template." },
  "content-type": { type: "string", default: "application/json", doc: "Media type of the content." },
} as const;

export type DaprAttributes = Args<{ attributes: typeof DAPR_CALL }>["attributes"];

export interface DaprMessage {
  /** Below `/v1.0`, encoded: `/publish/orders/new`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

/** Sends it, and does with answer or failure what the attributes say. */
export async function sendToDapr(
  exchange: Exchange,
  source: string,
  attributes: DaprAttributes,
  message: () => DaprMessage,
): Promise<void> {
  const { "ignore-error": ignoreError, "response-variable-name": variable } = attributes;
  let response: ResponseMessage | null = null;
  try {
    response = await send(exchange, source, attributes, message());
    if (exchange.traced !== null) exchange.remark(source, `Dapr answered ${response.statusCode}.`);
  } catch (error) {
    if (exchange.abort.aborted) throw new ClientGone();
    if (!ignoreError || error instanceof ClientGone) throw error;
    exchange.remark(source, `Ignored: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (variable !== undefined) exchange.variables.set(variable, response);
}

async function send(
  exchange: Exchange,
  source: string,
  attributes: DaprAttributes,
  message: DaprMessage,
): Promise<ResponseMessage> {
  const { dapr, bufferLimitBytes } = exchange.snapshot.options;
  const seconds = attributes.timeout(exchange.context);
  const { target } = dapr;
  const rawHeaders = ["Host", target.authority, "Content-Type", message.contentType];
  if (dapr.token !== null) rawHeaders.push("dapr-api-token", dapr.token);
  let response: ResponseMessage;
  try {
    response = await callOut(exchange.services, ANYWHERE, {
      request: {
        method: "POST",
        scheme: target.scheme,
        host: target.host,
        port: target.port,
        target: `${target.basePath}/v1.0${message.path}`,
        rawHeaders,
        body: new TextEncoder().encode(message.body),
      },
      timeoutMs: (seconds >= 1 && seconds <= 240 ? seconds : 5) * 1000,
      limitBytes: bufferLimitBytes,
      abort: exchange.abort,
    });
  } catch (error) {
    const { reason, code, message: text } = toGatewayError(error, source);
    throw new GatewayError({
      source,
      reason,
      message: `Dapr at ${target.authority} cannot be asked: ${text}`,
      status: 500,
      code,
      cause: error,
    });
  }
  if (response.statusCode < 200 || response.statusCode > 299) throw refused(source, message.path, response);
  return response;
}

/** The sidecar is where the operator said; nobody else is asked here. One object, so that connections are shared. */
const ANYWHERE: EgressOptions = { allow: ["0.0.0.0/0", "::/0"], loopback: true };

function refused(source: string, path: string, { statusCode, headers, body }: ResponseMessage): GatewayError {
  const said =
    body === null || !isText(headers)
      ? ""
      : new TextDecoder().decode(body.take() as Uint8Array).slice(0, 500);
  return new GatewayError({
    source,
    reason: "DaprRequestFailed",
    message: `Dapr answered ${statusCode} to ${path}${said === "" ? "." : `: ${said}`}`,
    status: 500,
    code: "dapr_request_failed",
  });
}

function isText(headers: HeaderList): boolean {
  return /^\s*(?:text\/|application\/json)/i.test(headers.get("content-type") ?? "");
}

/** One segment of a path. */
export function segment(text: string): string {
  // A dot segment would lead elsewhere.
  return encodeURIComponent(text.toWellFormed()).replace(/^\.{1,2}$/, (dots) => dots.replaceAll(".", "%2E"));
}
