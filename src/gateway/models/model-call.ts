/**
 * One request to a model: what it asks, what its answer says while it passes, and what it is charged in the end. Made when
 * the first policy or diagnostic of an exchange asks for it; without one, nobody looks into the bytes.
 *
 *     asked ──▶ answered (each attempt's answer; the last one counts) ──▶ settled, once
 *
 * Settling happens before the client sees the end of its answer: limits, metrics and the ledger know it by then.
 */
import type { Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../llm/dialect.ts";
import { tapAnswer } from "../../llm/response-tap.ts";
import { type Ended, type Ending, type Settlement, settle } from "../../llm/settlement.ts";
import type { Usage } from "../../llm/usage.ts";
import type { Observations } from "../../telemetry/metrics/registry.ts";
import type { TransportError } from "../../transport/transport.ts";
import type { Exchange } from "../exchange.ts";
import type { ResponseMessage } from "../message.ts";
import { AnswerWatch } from "./answer-watch.ts";
import { Asked, type JsonBody, type JsonObject } from "./asked.ts";
import type { ChargeLater } from "./later-answers.ts";
import type { Count } from "./model-services.ts";

/** Text kept for our own count when the provider reports none; what is longer is counted in proportion. */
const KEPT_FOR_COUNT = 256 * 1024;

export class ModelCall {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly line: RequestLine;
  /** A policy's variables or headers need the reported numbers: answers that are no streams are held until they are in. */
  settleBeforeOutbound = false;
  /** How much of what the model writes somebody wants to read afterwards, in UTF-16 units. */
  keepText = KEPT_FOR_COUNT;
  /** On the exchange's own time; null before the first octet of the answer. */
  firstByteMs: number | null = null;
  /** Number of the response within a WebSocket session, from 1; 0 for other calls. */
  part = 0;
  /** Of a session: what was written in the last response. */
  partText = "";
  /** Of a session: what the caller said before that. */
  partMessages: readonly { readonly role: string; readonly content: string }[] = [];
  /** Once settled; of sessions the last response. */
  settlement: Settlement | null = null;
  ending: Ending | null = null;
  readonly #asked: Asked;
  #promptCount: Count | Promise<Count> | null = null;
  #watch: AnswerWatch | null = null;
  #listeners: ((settlement: Settlement, call: ModelCall) => void)[] = [];
  #settling: Promise<void> | null = null;
  /** How the last attempt's answer ended, while `retry` may still send the request again. */
  #endedInBackend: Ending | null = null;
  #laterCharges: ChargeLater[] = [];
  /** What a session has said so far; null for other calls. */
  #session: FoundAnswer | null = null;
  #sessionGuards: SessionGuard[] = [];
  #parts = 0;

  /** @param read what was read to recognise the dialect */
  constructor(exchange: Exchange, dialect: Dialect, line: RequestLine, read: JsonBody | null = null) {
    this.exchange = exchange;
    this.dialect = dialect;
    this.line = line;
    this.#asked = new Asked(exchange, dialect, line, read);
    exchange.onReply(() => void this.#beforeReply());
    exchange.onEnd(() => void this.#over());
  }

  /** The request's JSON; null when it is none, or not in memory. */
  get body(): JsonObject | null {
    return this.#asked.body;
  }

  /** What is asked, by the body as it is now. Complete only once that is in memory or has passed. */
  get request(): ModelRequest {
    return this.#asked.request;
  }

  /** What the answer has said so far; null before there is one. */
  get found(): FoundAnswer | null {
    return this.#session ?? this.#watch?.tap.found ?? null;
  }

  /** Seconds between the chunks of a streamed answer; null when there are none. */
  get chunkGaps(): Observations | null {
    return this.#watch?.gaps ?? null;
  }

  /** The model's name for counting: what is asked, else what the deployment is called. */
  get model(): string {
    const { model, deployment } = this.request;
    return model ?? deployment ?? this.found?.model ?? "";
  }

  /** Tokens of the prompt by our own count, counted once; a promise only for long ones. */
  countPrompt(): number | Promise<number> {
    const count = this.#wholeCount();
    return count instanceof Promise ? count.then(({ tokens }) => tokens) : count.tokens;
  }

  /** It goes on for many responses: a WebSocket. */
  get isSession(): boolean {
    return this.dialect.operation === "realtime";
  }

  /** A session may begin another response only while every guard says null. */
  guardSession(guard: SessionGuard): void {
    this.#sessionGuards.push(guard);
  }

  /** @returns why no further response may begin; null when it may */
  mayRespond(): string | null | Promise<string | null> {
    let waiting: Promise<string | null> | null = null;
    for (const guard of this.#sessionGuards) {
      const reason = guard();
      if (typeof reason === "string") return reason;
      if (reason !== null) waiting = waiting === null ? reason : waiting.then((found) => found ?? reason);
    }
    return waiting;
  }

  /** The client has said what the session is to be, where the request's line does not. */
  sessionSetUp(message: JsonObject): void {
    this.#asked.setUp(message);
  }

  beginSession(found: FoundAnswer): void {
    this.#session = found;
  }

  /**
   * One response of a session is over.
   *
   * @param text     what the model wrote in it, for our own count
   * @param messages what the caller has said before it
   */
  settleResponse(
    reported: Usage | null,
    ending: Ending,
    text: string,
    messages: readonly { readonly role: string; readonly content: string }[] = [],
  ): void {
    const part = ++this.#parts;
    const listeners = this.#listeners;
    const counted =
      reported !== null || text === "" ? NO_COUNT : this.exchange.services.models.countText(text, this.model);
    const done = (count: Count): void => {
      const settlement = settle({
        ending,
        sent: true,
        begun: true,
        reported,
        final: true,
        counted: { prompt: () => 0, completion: () => count.tokens, exact: count.exact },
      });
      // Counting may have taken its time: another response may be over by now.
      this.part = part;
      this.partText = text;
      this.partMessages = messages;
      this.ending = ending;
      this.settlement = settlement;
      for (const run of listeners) run(settlement, this);
      this.exchange.services.models.settled(this, settlement);
    };
    if (counted instanceof Promise) void counted.then(done, () => done(NO_COUNT));
    else done(counted);
  }

  /** No more will come. */
  endSession(): void {
    this.#listeners = [];
  }

  /**
   * `run` is called once, with what is charged; before the client sees the end of its answer. Of a session it is called for
   * each response. It must not throw.
   */
  onSettled(run: (settlement: Settlement, call: ModelCall) => void): void {
    if (this.settlement !== null && this.#session === null) run(this.settlement, this);
    else this.#listeners.push(run);
  }

  /** Once settled: the provider works on, and what it reports in the end comes with another request. */
  get awaits(): boolean {
    const { found, settlement } = this;
    return found !== null && found.goesOn && found.id !== null && found.usage === null && settlement !== null;
  }

  /** Called by those who were told of the settlement, where the call `awaits`: who charges the difference. */
  onReportedLater(charge: ChargeLater): void {
    this.#laterCharges.push(charge);
  }

  get laterCharges(): readonly ChargeLater[] {
    return this.#laterCharges;
  }

  /**
   * An attempt's answer is there. It is watched; what an earlier one said is forgotten.
   *
   * @returns a promise when a policy waits for the numbers of an answer that is no stream
   */
  answered(response: ResponseMessage): void | Promise<void> {
    if (this.settlement !== null) return;
    const { body } = response;
    this.#watch = null;
    this.#endedInBackend = null;
    if (body === null) return;
    const contentType = response.headers.get("content-type");
    const tap = tapAnswer(this.dialect, {
      contentType,
      contentEncoding: body.coding === "" ? null : body.coding,
      headers: response.headers,
      keepText: this.keepText,
    });
    const watch = new AnswerWatch(this, tap, body, this.request.stream);
    this.#watch = watch;
    body.tap((next) => watch.sink(next));
    if (!this.settleBeforeOutbound || response.statusCode >= 400) return;
    if (contentType === null || !/\bjson\b/i.test(contentType)) return;
    // One that is too long for memory is passed on all the same, and its numbers come too late for headers.
    const waiting = body.bufferShort(this.exchange.snapshot.options.bufferLimitBytes);
    if (typeof waiting === "boolean") return waiting ? watch.readBuffered() : undefined;
    return waiting.then((inMemory) => (inMemory ? watch.readBuffered() : undefined));
  }

  /** The answer has ended or broken off. @returns a promise when counting takes its time */
  answerOver(error: TransportError | null): void | Promise<void> {
    // What was said to its end is finished, whatever becomes of the connection afterwards.
    if (error === null || this.found?.complete === true) return this.#ended(this.#endingOf());
    // A hang-up is carried on to the backend, whose connection then breaks.
    if (this.exchange.leftEarly) return this.#ended("client-gone");
    return this.#ended(stalled(error) ? "stalled" : "upstream-reset");
  }

  /** A policy lets no more of the answer out. @returns a promise when counting takes its time */
  cutOff(): void | Promise<void> {
    if (this.found?.complete === true) return this.#ended(this.#endingOf());
    return this.#ended(this.exchange.leftEarly ? "client-gone" : "cut-off");
  }

  /** Charged is the answer that is kept. Which one that is, nobody knows before the backend section is over. */
  #ended(ending: Ending): void | Promise<void> {
    if (this.exchange.section === "backend") this.#endedInBackend = ending;
    else return this.#settle(ending);
  }

  /** No further attempt will come. @returns a promise when counting takes its time */
  kept(): void | Promise<void> {
    if (this.#endedInBackend !== null) return this.#settle(this.#endedInBackend);
  }

  #endingOf(): Ending {
    const { exchange } = this;
    if ((exchange.attempts.at(-1)?.status ?? 200) >= 400) return "upstream-error";
    const found = this.found;
    if (found === null) return "finished";
    return found.error !== null || INCOMPLETE.has(found.finishReason?.toLowerCase() ?? "")
      ? "incomplete"
      : "finished";
  }

  /** A policy has the answer in memory: read it now, so that headers can tell. */
  #beforeReply(): void | Promise<void> {
    const watch = this.#watch;
    if (watch !== null && !watch.over && watch.body.buffered) return watch.readBuffered();
    return this.kept();
  }

  /** The exchange is over, whatever came of it. */
  #over(): void | Promise<void> {
    if (this.#session !== null) return;
    if (this.settlement !== null || this.#settling !== null) return;
    if (this.#endedInBackend !== null) return this.kept();
    const { exchange } = this;
    if (exchange.servedFromCache) return this.#settle("cache-hit");
    if (this.exchange.leftEarly) return this.#settle("client-gone");
    if (exchange.attempts.length === 0) return this.#settle("refused");
    if (this.#watch === null) {
      const status = exchange.attempts.at(-1)!.status;
      return this.#settle(status === null ? "failed" : status >= 400 ? "upstream-error" : "finished");
    }
    return this.#settle(exchange.brokenOff === null ? this.#endingOf() : "upstream-reset");
  }

  #settle(ending: Ending): void | Promise<void> {
    if (this.settlement !== null || this.#settling !== null) return;
    this.ending = ending;
    const counts = this.#countsFor(ending);
    if (!(counts instanceof Promise)) return this.#settled(ending, counts);
    return (this.#settling = counts.then(
      (counted) => this.#settled(ending, counted),
      () => this.#settled(ending, NO_COUNTS),
    ));
  }

  /** Our own counts, as far as this ending needs them. */
  #countsFor(ending: Ending): Counts | Promise<Counts> {
    const found = this.found;
    const reported = found?.usage ?? null;
    if (ending === "refused" || ending === "cache-hit" || ending === "failed" || ending === "upstream-error")
      return NO_COUNTS;
    if (ending === "client-gone" && !this.#sent) return NO_COUNTS;
    if (reported !== null && this.#isFinal) return NO_COUNTS;
    const prompt = reported !== null ? NO_COUNT : this.#wholeCount();
    const completion = this.#completionCount(found);
    if (!(prompt instanceof Promise) && !(completion instanceof Promise)) return { prompt, completion };
    return Promise.all([prompt, completion]).then(([p, c]) => ({ prompt: p, completion: c }));
  }

  #wholeCount(): Count | Promise<Count> {
    if (this.#promptCount !== null) return this.#promptCount;
    const count = this.exchange.services.models.countPrompt(this.request.prompt(), this.model);
    // A form is counted when it has passed.
    if (this.#asked.whole) this.#promptCount = count;
    return count;
  }

  #completionCount(found: FoundAnswer | null): Count | Promise<Count> {
    if (found === null || found.textLength === 0) return NO_COUNT;
    const text = found.text.read(null);
    if (text === "") return { tokens: Math.ceil(found.textLength / 4), exact: false };
    const inProportion = (count: Count): Count =>
      found.textLength <= text.length
        ? count
        : { tokens: Math.round((count.tokens * found.textLength) / text.length), exact: false };
    const count = this.exchange.services.models.countText(text, this.model);
    return count instanceof Promise ? count.then(inProportion) : inProportion(count);
  }

  /** What was reported is the last word on this answer. */
  get #isFinal(): boolean {
    return this.dialect.reportsEarly !== true || this.found?.complete === true || !this.request.stream;
  }

  /** The request was on its way to a backend; that the client gave up is no fault of it. */
  get #sent(): boolean {
    const attempt = this.exchange.attempts.at(-1);
    return attempt !== undefined && (attempt.error === null || attempt.error === "aborted");
  }

  #settled(ending: Ending, counts: Counts): void {
    if (this.settlement !== null) return;
    const found = this.found;
    const ended: Ended = {
      ending,
      sent: this.#sent,
      begun: this.firstByteMs !== null,
      reported: found?.usage ?? null,
      final: this.#isFinal,
      counted: {
        prompt: () => counts.prompt.tokens,
        completion: () => counts.completion.tokens,
        exact: counts.prompt.exact && counts.completion.exact,
      },
    };
    const settlement = settle(ended);
    this.settlement = settlement;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const run of listeners) run(settlement, this);
    this.exchange.services.models.settled(this, settlement);
  }

  /** What the provider reported, for learning how far our counts are off. */
  get reported(): Usage | null {
    return this.found?.usage ?? null;
  }

  /** The prompt as counted before the call, if it was and is at hand. */
  get countedPrompt(): Count | null {
    const count = this.#promptCount;
    return count === null || count instanceof Promise ? null : count;
  }
}

/** Says why a session may not go on; null when it may. */
export type SessionGuard = () => string | null | Promise<string | null>;

interface Counts {
  readonly prompt: Count;
  readonly completion: Count;
}

const NO_COUNT: Count = { tokens: 0, exact: true };
const NO_COUNTS: Counts = { prompt: NO_COUNT, completion: NO_COUNT };

/** Finish reasons that are no natural end, in lower case. */
const INCOMPLETE = new Set([
  "length",
  "max_tokens",
  "max_output_tokens",
  "model_context_window_exceeded",
  "content_filter",
  "content_filtered",
  "guardrail_intervened",
  "safety",
  "recitation",
  "blocklist",
  "prohibited_content",
  "spii",
  "incomplete",
  "refusal",
]);

function stalled(error: TransportError): boolean {
  return (
    error.code === "idle_timeout" || error.code === "total_timeout" || error.code === "first_byte_timeout"
  );
}
