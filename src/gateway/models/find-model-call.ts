/** Whether an exchange is a request to a model: told from its line, its body, and what the API says of itself (`aiFormat`). */
import type { RequestLine } from "../../llm/dialect.ts";
import { recognise, recogniseLine } from "../../llm/recognise.ts";
import type { Exchange } from "../exchange.ts";
import { isJson, jsonBody } from "./asked.ts";
import { ModelCall } from "./model-call.ts";

/**
 * The exchange's request to a model. Brings a JSON body into memory, to see model, bound and prompt.
 *
 * @returns null when it is none; a promise only while the body is on its way
 * @throws GatewayError as `Body.buffer` does
 */
export function modelCallOf(exchange: Exchange): ModelCall | null | Promise<ModelCall | null> {
  if (exchange.modelCall !== undefined) return exchange.modelCall;
  if (!canBeModelCall(exchange)) return (exchange.modelCall = null);
  const { body } = exchange.request;
  if (body !== null && !body.buffered && isJson(exchange)) {
    const waiting = body.buffer(exchange.snapshot.options.bufferLimitBytes);
    if (waiting !== undefined) return waiting.then(() => make(exchange));
  }
  return make(exchange);
}

/** As `modelCallOf`, for whoever only watches: the body stays a stream, what passes of it is kept for the log. */
export function watchModelCall(exchange: Exchange): ModelCall | null {
  if (exchange.modelCall !== undefined) return exchange.modelCall;
  if (!canBeModelCall(exchange)) return null;
  const line = lineOf(exchange);
  const dialect = exchange.api?.aiFormat ?? recogniseLine(line);
  return dialect === null ? null : (exchange.modelCall = new ModelCall(exchange, dialect, line));
}

/** Whether a model is asked, as far as the request's line tells; for whoever has nothing else to do with models. */
export function asksModel(exchange: Exchange): boolean {
  if (exchange.modelCall !== undefined) return exchange.modelCall !== null;
  if (!canBeModelCall(exchange)) return false;
  return (exchange.api?.aiFormat ?? recogniseLine(lineOf(exchange))) !== null;
}

function canBeModelCall(exchange: Exchange): boolean {
  const { request, incoming } = exchange;
  if (request.method !== "POST") return incoming.upgrade;
  // What is cancelled was asked for before, whatever `aiFormat` says of the API.
  return !request.originalUrl.path.endsWith("/cancel");
}

function make(exchange: Exchange): ModelCall | null {
  if (exchange.modelCall !== undefined) return exchange.modelCall;
  const line = lineOf(exchange);
  const body = jsonBody(exchange);
  const dialect = exchange.api?.aiFormat ?? recognise(line, body?.value ?? null);
  return (exchange.modelCall = dialect === null ? null : new ModelCall(exchange, dialect, line, body));
}

function lineOf(exchange: Exchange): RequestLine {
  const { request } = exchange;
  return {
    method: request.method,
    path: request.originalUrl.path,
    query: queryOf(exchange),
    header: (name) => request.headers.get(name),
  };
}

function queryOf(exchange: Exchange): string {
  const { target } = exchange.incoming;
  const at = target.indexOf("?");
  return at < 0 ? "" : target.slice(at + 1);
}
