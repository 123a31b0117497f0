/**
 * The only place that writes to the client: the pending response's head once, then its bytes as they come, at the
 * client's pace.
 */
import type { HeaderList } from "../base/headers.ts";
import { sameName } from "../base/headers.ts";
import type { BodySink, BodySource, TransportError } from "../transport/transport.ts";
import { CutOff } from "./cut-off.ts";
import type { Exchange } from "./exchange.ts";
import { withoutHopByHop } from "./hop-by-hop.ts";
import { ResponseMessage } from "./message.ts";

/**
 * Sends `exchange.response` (an empty 200 when there is none).
 *
 * @param done called once, when the last byte is out or the client is gone
 */
export function sendReply(exchange: Exchange, done: () => void): void {
  const response = (exchange.response ??= new ResponseMessage(200));
  const { reply, method } = exchange.incoming;
  // A challenge to the caller, RFC 9110 §11.7.1: a backend's was left out before, so it is a policy that makes one.
  const headers = withoutHopByHop(response.headers.raw, "proxy-authenticate");
  if (exchange.corsHeaders !== null) mergeCors(headers, exchange.corsHeaders);
  reply.onFinish(done);
  const bodyless = method === "HEAD" || response.statusCode === 204 || response.statusCode === 304;
  const promised = method === "HEAD" ? response.body?.length : undefined;
  const content = response.body === null ? null : bodyless ? dropped(response) : response.body.take();
  if (content === null || content instanceof Uint8Array) {
    // What a HEAD or 304 says of the body it stands for is the backend's word; a 204 has no length at all.
    if (!bodyless || response.body !== null || response.statusCode === 204)
      removeHeader(headers, "content-length");
    // RFC 9110 §9.3.2: the length that the answer to a GET would have had.
    if (promised !== undefined && response.statusCode !== 204 && response.statusCode !== 304)
      headers.push("Content-Length", String(promised));
    if (content !== null) exchange.bytesSent = content.length;
    const gone = content === null && !bodyless;
    if (response.body !== null && (gone || response.body.recoded)) removeHeader(headers, "content-encoding");
    reply.send(response.statusCode, response.statusReason, headers, content);
    return;
  }
  stream(exchange, response, headers, content);
}

/** A body that must not be sent (HEAD, 204, 304): frees its connection. */
function dropped(response: ResponseMessage): null {
  response.body?.discard();
  return null;
}

function stream(exchange: Exchange, response: ResponseMessage, headers: string[], source: BodySource): void {
  const length = source.length;
  removeHeader(headers, "content-length");
  // An event stream goes out without a length: if it breaks off, there must be room to say so.
  if (length !== undefined && !isEventStream(response.headers))
    headers.push("Content-Length", String(length));
  const sink = exchange.incoming.reply.head(response.statusCode, response.statusReason, headers, () =>
    source.resume(),
  );
  const stop = exchange.abort.onAbort(() => source.cancel());
  source.start(new ClientSink(exchange, sink, stop));
}

/** Counts what is sent and ends or breaks the answer. */
class ClientSink implements BodySink {
  readonly borrows = true;
  readonly #exchange: Exchange;
  readonly #sink: BodySink;
  readonly #stop: () => void;

  constructor(exchange: Exchange, sink: BodySink, stop: () => void) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#stop = stop;
  }

  write(chunk: Uint8Array): boolean {
    this.#exchange.bytesSent += chunk.length;
    return this.#sink.write(chunk);
  }

  end(trailers?: string[]): void {
    this.#stop();
    this.#sink.end(trailers);
  }

  /** The backend broke off after the head had gone out. */
  fail(error: TransportError): void {
    this.#stop();
    this.#exchange.brokenOff = error;
    if (!isEventStream(this.#exchange.response!.headers)) this.#sink.fail(error);
    else if (error instanceof CutOff) this.#cutOff(error);
    else this.#sayWhy(error);
  }

  /** A policy stopped it: the stream ends without its mark of the end, and says no more than the policy wants. */
  #cutOff({ lastWords }: CutOff): void {
    if (lastWords !== null) this.#sink.write(lastWords);
    this.#sink.end();
  }

  /**
   * An event stream can still tell its reader: one `error` event, and no `[DONE]` (`reliability.md` R-08). Its data comes
   * first: Google's client passes over events that begin with anything else, and would take this for a good end.
   */
  #sayWhy(error: TransportError): void {
    const { requestId } = this.#exchange;
    const body = JSON.stringify({
      error: { code: error.code, message: "The upstream response was interrupted.", requestId },
    });
    this.#sink.write(new TextEncoder().encode(`\n\ndata: ${body}\nevent: error\n\n`));
    this.#sink.end();
  }
}

export function isEventStream(headers: HeaderList): boolean {
  const type = headers.get("content-type");
  return type !== null && /^\s*text\/event-stream\b/i.test(type);
}

function removeHeader(raw: string[], name: string): void {
  for (let i = raw.length - 2; i >= 0; i -= 2) if (sameName(raw[i]!, name)) raw.splice(i, 2);
}

/** The gateway's CORS headers win over the backend's; `Vary` is added to. */
function mergeCors(headers: string[], cors: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]!.toLowerCase().startsWith("access-control-")) headers.splice(i, 2);
  }
  for (let i = 0; i < cors.length; i += 2) {
    if (!(sameName(cors[i]!, "vary") && alreadyVaries(headers, cors[i + 1]!)))
      headers.push(cors[i]!, cors[i + 1]!);
  }
}

function alreadyVaries(headers: readonly string[], on: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (!sameName(headers[i]!, "vary")) continue;
    const listed = headers[i + 1]!.split(",").map((part) => part.trim().toLowerCase());
    if (listed.includes("*") || listed.includes(on.toLowerCase())) return true;
  }
  return false;
}
