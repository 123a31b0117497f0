/**
 * A WebSocket session with a model (OpenAI Realtime; `ai-apis.md` §8.2): frames pass in both directions as they are, and
 * are looked at on the way. Each response that ends is settled on its own. Before the client's `response.create` reaches the
 * backend, whoever limits the session is asked; when nothing is left, the client gets an `error` event and the session is
 * closed, after the response under way.
 */
import { FrameReader, closeFrame, compressionOf, textFrame } from "../llm/websocket-frames.ts";
import type { AnswerReader } from "../llm/dialect.ts";
import { type Usage, NO_USAGE } from "../llm/usage.ts";
import type { BodySink } from "../transport/transport.ts";
import type { Exchange } from "./exchange.ts";
import type { ModelCall } from "./model-call.ts";

/** Closed because of a policy (RFC 6455 §7.4.1). */
const POLICY_VIOLATION = 1008;
/** Where an event's type stands, in UTF-16 units: events of audio are long, and nobody reads them. */
const TYPE_WITHIN = 256;
/** Stood in for at most. */
const MOST_WORDS = 200_000;

export class ModelSession {
  readonly #call: ModelCall;
  readonly #reader: AnswerReader;
  readonly #fromServer: FrameReader;
  readonly #fromClient: FrameReader;
  #toClient: BodySink | null = null;
  #closeBoth: () => void = () => {};
  /** Usage of the responses that were settled. */
  #settled: Usage = NO_USAGE;
  /** Of the text so far: what was settled, in all and of what is kept. */
  #settledText = 0;
  #settledKept = 0;
  #responding = false;
  /** Why the session must end; null while it may go on. */
  #refused: string | null = null;
  #over = false;
  /** Asked, and not answered yet: what the client says waits. */
  #waiting: Uint8Array[] | null = null;
  #asks = false;

  constructor(exchange: Exchange, call: ModelCall) {
    const compression = compressionOf(exchange.response?.headers.get("sec-websocket-extensions") ?? null);
    this.#call = call;
    this.#reader = call.dialect.readAnswer(call.keepText);
    this.#fromServer = new FrameReader((text) => this.#serverSays(text), compression.server);
    this.#fromClient = new FrameReader((text) => this.#clientSays(text), compression.client);
    call.beginSession(this.#reader.found);
  }

  /** @param closeBoth ends both connections */
  open(toClient: BodySink, closeBoth: () => void): void {
    this.#toClient = toClient;
    this.#closeBoth = closeBoth;
  }

  /** Between the backend and the client. */
  serverSink(next: BodySink): BodySink {
    return {
      borrows: next.borrows,
      write: (chunk) => {
        if (this.#over) return true;
        this.#call.firstByteMs ??= this.#call.exchange.elapsedMs();
        this.#fromServer.write(chunk);
        const room = next.write(chunk);
        this.#endIfDue();
        return room;
      },
      end: (trailers) => next.end(trailers),
      fail: (error) => next.fail(error),
    };
  }

  /** Between the client and the backend. @param resume lets the client go on */
  clientSink(next: BodySink, resume: () => void): BodySink {
    return {
      borrows: next.borrows,
      write: (chunk) => {
        if (this.#over || this.#refused !== null) return true;
        if (this.#waiting !== null) {
          this.#waiting.push(chunk.slice());
          return false;
        }
        this.#asks = false;
        this.#fromClient.write(chunk);
        if (!this.#asks) return next.write(chunk);
        return this.#askFirst(chunk, next, resume);
      },
      end: (trailers) => next.end(trailers),
      fail: (error) => next.fail(error),
    };
  }

  /** Both connections are over: what was begun and not ended is settled by what was relayed. */
  ended(): void {
    this.#over = true;
    if (this.#reader.found.textLength > this.#settledText || this.#responding)
      this.#call.settleResponse(null, "client-gone", this.#textSince());
    this.#call.endSession();
  }

  /** The chunk holds the end of a `response.create`: it passes only when something is left. */
  #askFirst(chunk: Uint8Array, next: BodySink, resume: () => void): boolean {
    const reason = this.#call.mayRespond();
    if (!(reason instanceof Promise)) {
      if (reason === null) return next.write(chunk);
      this.#refuse(reason);
      return true;
    }
    this.#waiting = [chunk.slice()];
    void reason.then((found) => {
      const chunks = this.#waiting ?? [];
      this.#waiting = null;
      if (this.#over) return;
      if (found !== null) return this.#refuse(found);
      for (const kept of chunks) next.write(kept);
      resume();
    });
    return false;
  }

  #refuse(reason: string): void {
    this.#refused ??= reason;
    this.#endIfDue();
  }

  /** Says why and closes, between two frames and after the response under way. */
  #endIfDue(): void {
    if (this.#refused === null || this.#over || this.#responding || !this.#fromServer.atBoundary) return;
    this.#over = true;
    const event = {
      type: "error",
      error: { type: "rate_limit_exceeded", code: "token_limit_exceeded", message: this.#refused },
    };
    this.#toClient!.write(textFrame(JSON.stringify(event), null));
    this.#toClient!.write(closeFrame(POLICY_VIOLATION, "token limit exceeded", null));
    this.#closeBoth();
  }

  #clientSays(text: string): void {
    // Only events that may begin a response are of interest; audio comes many times a second.
    if (text.includes('"response.create"')) this.#asks = true;
  }

  #serverSays(text: string): void {
    const begin = text.length <= TYPE_WITHIN ? text : text.slice(0, TYPE_WITHIN);
    if (begin.includes('audio.delta"')) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const { found } = this.#reader;
    const before = found.responses;
    this.#reader.take(null, value);
    const type = typeof value === "object" && value !== null && "type" in value ? value.type : null;
    if (type === "response.created") this.#begun();
    if (found.responses === before) return;
    this.#responding = false;
    const usage = found.usage === null ? null : difference(found.usage, this.#settled);
    if (found.usage !== null) this.#settled = found.usage;
    this.#call.settleResponse(usage, "finished", this.#textSince());
  }

  /** A response that the server itself began (voice activity): it ends, and the session with it when nothing is left. */
  #begun(): void {
    this.#responding = true;
    const reason = this.#call.mayRespond();
    if (reason instanceof Promise) void reason.then((found) => found !== null && this.#refuse(found));
    else if (reason !== null) this.#refuse(reason);
  }

  /** Of the text so far, what has not been settled; what was too long to be kept is stood in for by its length. */
  #textSince(): string {
    const { found } = this.#reader;
    const kept = found.text.read(null);
    const text = kept.slice(this.#settledKept);
    const written = found.textLength - this.#settledText;
    this.#settledText = found.textLength;
    this.#settledKept = kept.length;
    return text.length >= written
      ? text
      : text + "word ".repeat(Math.min(MOST_WORDS, Math.ceil((written - text.length) / 5)));
  }
}

function difference(all: Usage, before: Usage): Usage | null {
  if (all === before) return null;
  return {
    prompt: all.prompt - before.prompt,
    completion: all.completion - before.completion,
    total: all.total - before.total,
    cached: all.cached - before.cached,
    cacheWrites: all.cacheWrites - before.cacheWrites,
    reasoning: all.reasoning - before.reasoning,
    promptAudio: all.promptAudio - before.promptAudio,
    completionAudio: all.completionAudio - before.completionAudio,
    cachedInside: all.cachedInside,
  };
}
