/**
 * A WebSocket session whose words are judged (`llm-content-safety`, `ai-policies.md` §4). What the caller says is judged
 * before it goes on, what the model says in windows as in a stream, and what the server reports to have heard of the
 * caller after the fact. Sounds are not judged. After a finding neither side hears anything more: the caller gets an error
 * in the dialect's own form, where it has one, and a close frame.
 *
 *     caller ──▶ CallerGate ──▶ backend        backend ──▶ GuardedSource, one a policy ──▶ caller
 *                                                  └──▶ HeardWords
 *
 * Sessions in no known dialect are judged, too: each message as text, or as JSON with all its names and values; JSON-RPC
 * as over HTTP. There is no window to fill, as nobody knows where an answer ends: what comes is judged at once.
 */
import type { JsonObject } from "../../base/json-object.ts";
import type { SessionWords } from "../../llm/dialect.ts";
import { FrameReader, closeFrame, compressionOf, textFrame } from "../../llm/websocket-frames.ts";
import type { BodySink, BodySource } from "../../transport/transport.ts";
import type { GatewayError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { CallerGate, type Verdict } from "./caller-gate.ts";
import { type Windows, piecesOf } from "./completions.ts";
import { GuardedSource } from "./guarded-source.ts";
import { HeardWords } from "./heard-words.ts";
import { packed, questionsOf } from "./questions.ts";
import { decodeText, isText } from "./raw-text.ts";
import { type RequestTexts, readMessageTexts } from "./request-texts.ts";
import type { SafetyCheck } from "./safety-check.ts";
import { Seams } from "./seams.ts";
import { SessionUnits } from "./session-units.ts";

/** One policy's part in a session. */
export interface SessionCheck {
  readonly check: SafetyCheck;
  /** How the caller's words are judged; null: they are not. */
  readonly prompts: PromptRules | null;
  /** How the model's words are judged; null: they are not. */
  readonly windows: Windows | null;
}

export interface PromptRules {
  readonly concatenates: boolean;
  /** UTF-16 units of one message. */
  readonly mostText: number;
}

/** Who said, or was about to say, what may not be said. */
export type Speaker = "caller" | "model";

type PromptCheck = SessionCheck & { readonly prompts: PromptRules };

/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1008;
const TOO_LARGE = 1009;
/** For the caller to be told and to go, before both connections are cut. */
const FAREWELL_MS = 5000;

export class SafetySession {
  /** Told of each message of the server that is no sound; null where the caller is not judged. */
  readonly hears: ((message: JsonObject) => void) | null;
  /** Whose words it was ended for; null when it was not. */
  cut: Speaker | null = null;
  readonly #exchange: Exchange;
  readonly #prompts: readonly PromptCheck[];
  readonly #answers: readonly SessionCheck[];
  /** null: nobody knows the dialect. */
  readonly #words: SessionWords | null;
  readonly #compression: ReturnType<typeof compressionOf>;
  readonly #mostBytes: number;
  readonly #seams = new Seams();
  readonly #heard: readonly HeardWords[];
  #gate: CallerGate | null = null;
  #sources: readonly GuardedSource[] = [];
  #drained: () => void = () => {};
  /** Where a frame of the gateway's own may go towards the caller. Reads no message. */
  readonly #edge = new FrameReader(() => {}, { deflate: true, noContext: true, mostBytes: 0 });
  #toClient: BodySink | null = null;
  #closeBoth: () => void = () => {};
  #cutBoth: () => void = () => {};
  #stopTimer: () => void = () => {};
  #over = false;
  /** Why the session ends; the caller is told when the message under way is over. */
  #due: GatewayError | null = null;
  #toldMedia = false;
  #toldUnreadable = false;

  constructor(exchange: Exchange, checks: readonly SessionCheck[]) {
    const call = exchange.modelCall ?? null;
    this.#exchange = exchange;
    this.#prompts = checks.filter((one): one is PromptCheck => one.prompts !== null);
    this.#answers = checks.filter(({ windows }) => windows !== null);
    this.#words = call !== null && call.isSession ? (call.dialect.session ?? null) : null;
    this.#compression = compressionOf(exchange.response?.headers.get("sec-websocket-extensions") ?? null);
    this.#mostBytes = exchange.snapshot.options.bufferLimitBytes;
    this.#heard = this.#prompts.map((one) => this.#heardBy(one));
    const words = this.#words;
    this.hears =
      words === null || this.#prompts.length === 0 ? null : (message) => this.#hear(words, message);
  }

  /**
   * @param closeBoth ends both connections once the caller has everything
   * @param cutBoth   ends them whatever the caller does
   */
  open(closeBoth: () => void, cutBoth: () => void): void {
    this.#closeBoth = closeBoth;
    this.#cutBoth = cutBoth;
  }

  /** Between the caller and the backend. @param resume lets the caller go on */
  clientSink(next: BodySink, resume: () => void): BodySink {
    if (this.#prompts.length === 0) return next;
    return (this.#gate = new CallerGate(next, resume, {
      frames: { ...this.#compression.client, mostBytes: this.#mostBytes },
      verdict: (text, octets, isBinary) => this.#verdict(text, octets, isBinary),
      unreadable: (why) => this.#unreadable(why),
      tooLarge: () => this.#prompts[0]!.check.tooLarge("A message is larger than what can be judged."),
      refused: (failure) => this.#end(failure, "caller"),
    }));
  }

  /** Between the backend and the caller. @param resume lets the backend go on */
  serverSink(toClient: BodySink, resume: () => void): BodySink {
    this.#toClient = toClient;
    let wake = resume;
    this.#sources = this.#answers.map((one) => {
      const source = this.#guarded(one, wake);
      wake = () => source.resume();
      return source;
    });
    this.#drained = wake;
    return this.#sources.reduceRight<BodySink>((next, source) => {
      source.start(next);
      return source;
    }, this.#edgeSink(toClient));
  }

  /** The caller has room again. */
  clientDrained(): void {
    this.#drained();
  }

  /** The backend has room again. */
  backendDrained(): void {
    this.#gate?.resume();
  }

  /** Both connections are over. */
  stop(): void {
    this.#over = true;
    this.#stopTimer();
    this.#gate?.stop();
    for (const source of this.#sources) source.cancel();
    for (const heard of this.#heard) heard.stop();
  }

  // ── The caller ──────────────────────────────────────────────────────────────────────────────────────────────────

  #verdict(text: string, octets: Uint8Array, isBinary: boolean): Verdict | null {
    const decoded = isBinary ? decodeText(octets, null) : text;
    if (isBinary && !isText(octets) && !isJson(decoded)) {
      const failure = this.#unreadable("a binary message is no text");
      return failure === null ? null : () => Promise.resolve(failure);
    }
    const texts = readMessageTexts(decoded, this.#words !== null);
    if (texts.media) this.#noteMedia();
    const seams = this.#seams.next(texts.turns);
    const turns = texts.turns.filter(({ parts }) => parts.some((part) => part.trim() !== ""));
    return turns.length === 0 ? null : () => this.#judged({ turns, media: texts.media }, seams);
  }

  #judged(texts: RequestTexts, seams: readonly string[]): Promise<GatewayError | null> {
    if (this.#prompts.length === 1) return asked(this.#prompts[0]!, texts, seams);
    return Promise.all(this.#prompts.map((one) => asked(one, texts, seams))).then(
      (failures) => failures.find((failure) => failure !== null) ?? null,
    );
  }

  /** Where it may pass, it is said once: there may be many of the kind. */
  #unreadable(why: string): GatewayError | null {
    if (this.#toldUnreadable) return null;
    for (const { check } of this.#prompts) {
      const failure = check.unreadable(why, "prompt");
      if (failure !== null) return failure;
    }
    this.#toldUnreadable = true;
    return null;
  }

  #heardBy(one: PromptCheck): HeardWords {
    return new HeardWords({
      judge: (text) => asked(one, { turns: [{ whose: "user", parts: [text] }], media: false }, []),
      tooLarge: () => one.check.tooLarge("More was said than could be judged."),
      refused: (failure) => this.#end(failure, "caller"),
    });
  }

  #hear(words: SessionWords, message: JsonObject): void {
    const heard = words.heard(message);
    if (heard !== null) for (const one of this.#heard) one.take(heard);
    if (!words.goesOn(message) || (heard === null && words.begins(message, false)))
      for (const one of this.#heard) one.flush();
  }

  // ── The model ───────────────────────────────────────────────────────────────────────────────────────────────────

  #guarded({ check, windows }: SessionCheck, resume: () => void): GuardedSource {
    const pieces = piecesOf(check, windows!);
    const texts = new AnswerTexts(pieces.overlap, false);
    let told = false;
    const frames = { ...this.#compression.server, mostBytes: this.#mostBytes };
    const units = new SessionUnits(texts, this.#words, frames, (why) => {
      const failure = told ? null : check.unreadable(why);
      told = true;
      if (failure !== null) this.#end(failure, "model");
    });
    const inner: BodySource = { length: undefined, start() {}, resume, cancel() {} };
    return new GuardedSource(inner, {
      texts,
      units,
      windowSize: pieces.most - pieces.overlap,
      mostUnitBytes: this.#mostBytes,
      check: (found) => {
        units.due = false;
        if (texts.media) this.#noteMedia();
        return check.completion(found, pieces);
      },
      tooLarge: () => check.tooLarge("A message is larger than what can be judged."),
      cut: (failure) => {
        this.#end(failure, "model");
        return null;
      },
    });
  }

  /** Knows where a message ends, so that the caller can be told between two of them. */
  #edgeSink(toClient: BodySink): BodySink {
    const edge = this.#edge;
    return {
      borrows: toClient.borrows,
      write: (chunk) => {
        if (!this.#over) {
          edge.write(chunk);
          return toClient.write(chunk);
        }
        const failure = this.#due;
        if (failure === null) return true;
        let at = 0;
        do at = edge.readFrame(chunk, at);
        while (at < chunk.length && !this.#atEdge);
        toClient.write(chunk.subarray(0, at));
        if (this.#atEdge) this.#tell(failure);
        return true;
      },
      end: (trailers) => {
        if (!this.#over || this.#due !== null) toClient.end(trailers);
      },
      fail: (error) => {
        if (!this.#over || this.#due !== null) toClient.fail(error);
      },
    };
  }

  get #atEdge(): boolean {
    return this.#edge.atBoundary || this.#edge.broken;
  }

  // ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #end(failure: GatewayError, whose: Speaker): void {
    if (this.#over) return;
    this.stop();
    const exchange = this.#exchange;
    // Whoever hung up has ended it himself.
    if (!exchange.abort.aborted) {
      exchange.error ??= failure;
      this.cut = whose;
    }
    exchange.remark(failure.source, "The session was ended.");
    this.#stopTimer = exchange.services.clock.after(FAREWELL_MS, this.#cutBoth);
    if (this.#atEdge) this.#tell(failure);
    else this.#due = failure;
  }

  #tell({ clientMessage, status }: GatewayError): void {
    this.#due = null;
    const toClient = this.#toClient!;
    const words = this.#words === null ? null : this.#words.refusal(clientMessage, "content");
    if (words !== null) toClient.write(textFrame(words, null));
    toClient.write(closeFrame(status === 413 ? TOO_LARGE : POLICY_VIOLATION, clientMessage, null));
    this.#closeBoth();
  }

  #noteMedia(): void {
    if (this.#toldMedia) return;
    this.#toldMedia = true;
    const { check } = this.#prompts[0] ?? this.#answers[0]!;
    this.#exchange.remark(check.element, "Pictures, sounds and files are not judged.");
  }
}

/** @returns why the words must not be said; null when they may. Never rejects. */
function asked(
  { check, prompts }: PromptCheck,
  texts: RequestTexts,
  seams: readonly string[],
): Promise<GatewayError | null> {
  let size = 0;
  for (const { parts } of texts.turns) for (const part of parts) size += part.length;
  if (size > prompts.mostText)
    return Promise.resolve(
      check.tooLarge(
        `A message has more text than content safety may judge (${prompts.mostText} characters).`,
      ),
    );
  const { guard } = check;
  if (guard === null) return Promise.resolve(null);
  const { concatenates } = prompts;
  const { analyze, shield } = questionsOf(
    texts,
    guard.mostCharacters,
    concatenates,
    check.rules.shieldsPrompt,
  );
  const all = seams.length === 0 ? analyze : [...analyze, ...packed(seams, guard.mostCharacters)];
  return all.length === 0 && shield.length === 0
    ? Promise.resolve(null)
    : check.judged({ analyze: all, shield });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
