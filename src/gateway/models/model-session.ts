/**
 * A WebSocket session with a model (OpenAI Realtime, Gemini Live; `ai-apis.md` §8.2): frames pass in both directions as they are, and
 * are looked at on the way. Each response that ends is settled on its own. Before what asks for a response
 * reaches the backend, whoever limits the session is asked; when nothing is left, the client is told why and the session is
 * closed, after the response under way.
 */
import type { JsonObject } from "../../base/json-object.ts";
import type { Saying, SessionWords } from "../../llm/dialect.ts";
import { type SessionTap, tapSession } from "../../llm/session-tap.ts";
import { closeFrame, textFrame } from "../../llm/websocket-frames.ts";
import { type Usage, NO_USAGE, lessUsage } from "../../llm/usage.ts";
import type { BodySink } from "../../transport/transport.ts";
import type { Exchange } from "../exchange.ts";
import type { ModelCall } from "./model-call.ts";

/** Closed because of a policy (RFC 6455 §7.4.1). */
const POLICY_VIOLATION = 1008;
/** Messages of the caller that are kept for the log of one response. */
const MOST_MESSAGES = 200;
/** Stood in for at most. */
const MOST_WORDS = 200_000;

export class ModelSession {
  readonly #call: ModelCall;
  readonly #tap: SessionTap;
  #words: SessionWords;
  readonly #onServer: ((message: JsonObject) => void) | null;
  /** What the caller has said since the last response. */
  #messages: { readonly role: string; content: string; readonly isPiece: boolean }[] = [];
  /** Responses that were settled. */
  #responses = 0;
  #toClient: BodySink | null = null;
  #closeBoth: () => void = () => {};
  /** Usage of the responses that were settled. */
  #settled: Usage = NO_USAGE;
  /** Of the text so far: what was settled, in all and of what is kept. */
  #settledText = 0;
  #settledKept = 0;
  /** Responses that were begun and have not ended: those beside the conversation, and utterances, overlap. */
  #underWay = 0;
  /** Why the session must end; null while it may go on. */
  #refused: string | null = null;
  #over = false;
  /** Asked, and not answered yet: what the client says waits. */
  #waiting: Uint8Array[] | null = null;
  #asks = false;

  /** @param onServer told of each message of the server that is no sound, before it goes on */
  constructor(exchange: Exchange, call: ModelCall, onServer: ((message: JsonObject) => void) | null = null) {
    this.#call = call;
    this.#onServer = onServer;
    this.#words = call.dialect.session!;
    this.#tap = tapSession(call.dialect, {
      extensions: exchange.response?.headers.get("sec-websocket-extensions") ?? null,
      keepText: call.keepText,
      onEvent: (from, event) => (from === "client" ? this.#clientSays(event) : this.#serverSays(event)),
      onTranscript: (saying) => this.#note(saying),
    });
    call.beginSession(this.#tap.found);
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
        this.#tap.fromServer(chunk);
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
          this.#waiting.push(new Uint8Array(chunk));
          return false;
        }
        this.#asks = false;
        this.#tap.fromClient(chunk);
        if (!this.#asks) return next.write(chunk);
        return this.#askFirst(chunk, next, resume);
      },
      end: (trailers) => next.end(trailers),
      fail: (error) => next.fail(error),
    };
  }

  /**
   * Both connections are over: what was begun and not ended is settled by what was relayed.
   *
   * @param cut whose words were why the gateway ended it; null when it did not
   */
  ended(cut: "caller" | "model" | null): void {
    this.#over = true;
    const call = this.#call;
    const usage = this.#usageSince();
    if (usage !== null || this.#tap.found.textLength > this.#settledText || this.#underWay > 0) {
      const ending = cut === null ? "client-gone" : "cut-off";
      call.settleResponse(usage, ending, this.#textSince(), this.#messagesSince());
    } else if (cut === "caller") call.settleResponse(null, "refused", "");
    call.endSession();
  }

  /** The chunk holds the end of a message that asks for a response: it passes only when something is left. */
  #askFirst(chunk: Uint8Array, next: BodySink, resume: () => void): boolean {
    const reason = this.#call.mayRespond();
    if (!(reason instanceof Promise)) {
      if (reason === null) return next.write(chunk);
      this.#refuse(reason);
      return true;
    }
    this.#waiting = [new Uint8Array(chunk)];
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
    if (this.#refused === null || this.#over || this.#underWay > 0 || !this.#tap.server.atBoundary) return;
    this.#over = true;
    const words = this.#words.refusal(this.#refused, "limit");
    if (words !== null) this.#toClient!.write(textFrame(words, null));
    this.#toClient!.write(closeFrame(POLICY_VIOLATION, "token limit exceeded", null));
    this.#closeBoth();
  }

  #clientSays(event: JsonObject): void {
    this.#words = this.#words.turnsTo("client", event) ?? this.#words;
    if (this.#words.asks(event)) this.#asks = true;
    else if (this.#words.setsUp(event)) this.#call.sessionSetUp(event);
  }

  /** What the caller says is logged with the response that follows; what comes in pieces is one message. */
  #note({ role, text, isPiece }: Saying): void {
    if (role !== "user") return;
    const last = this.#messages.at(-1);
    if (isPiece && last?.isPiece === true) {
      if (last.content.length < MOST_WORDS) last.content += text;
    } else if (this.#messages.length < MOST_MESSAGES) this.#messages.push({ role, content: text, isPiece });
  }

  #serverSays(event: JsonObject): void {
    this.#onServer?.(event);
    this.#words = this.#words.turnsTo("server", event) ?? this.#words;
    const { found } = this.#tap;
    if (this.#words.begins(event, this.#underWay > 0)) {
      this.#underWay++;
      this.#askWhile();
    } else if (this.#words.announces(event)) this.#askWhile();
    if (found.responses === this.#responses) return;
    this.#responses = found.responses;
    if (this.#underWay > 0) this.#underWay--;
    this.#call.settleResponse(this.#usageSince(), "finished", this.#textSince(), this.#messagesSince());
  }

  /** Reported, and not settled yet. */
  #usageSince(): Usage | null {
    const { usage } = this.#tap.found;
    if (usage === null || usage === this.#settled) return null;
    const since = lessUsage(usage, this.#settled);
    this.#settled = usage;
    return since;
  }

  #messagesSince(): { readonly role: string; readonly content: string }[] {
    const messages = this.#messages.map(({ role, content }) => ({ role, content }));
    this.#messages = [];
    return messages;
  }

  /**
   * A response that the server itself begins (voice activity): when nothing is left, the session ends with it, or before
   * it where the server has only said that it will come.
   */
  #askWhile(): void {
    const reason = this.#call.mayRespond();
    if (reason instanceof Promise) void reason.then((found) => found !== null && this.#refuse(found));
    // Said once the message that is being read has gone out.
    else this.#refused ??= reason;
  }

  /** Of the text so far, what has not been settled; what was too long to be kept is stood in for by its length. */
  #textSince(): string {
    const { found } = this.#tap;
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
