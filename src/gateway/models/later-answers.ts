/**
 * Answers that a provider gives later: a response in the background (OpenAI Responses, `background: true`) is asked for with
 * one request and fetched with another, and what it cost is known to the second one alone. So is a stream that the caller
 * left and resumes.
 *
 *     POST …/responses ──▶ charged by what is known, and kept here under the answer's id
 *     GET …/responses/{id}, POST …/responses/{id}/cancel ──▶ usage: the difference is charged to the first request, once
 *
 * What is kept are a few numbers and names; the exchange is let go. It is kept in this process, for a day, and only so many:
 * an answer that is fetched later than that, or through another node, stays charged as it was.
 */
import type { Clock } from "../../base/clock.ts";
import type { LedgerRecord } from "../../ledger/record.ts";
import type { FoundAnswer } from "../../llm/dialect.ts";
import { dialectNamed } from "../../llm/recognise.ts";
import { tapAnswer } from "../../llm/response-tap.ts";
import { type Usage, chargedTokens, lessUsage } from "../../llm/usage.ts";
import type { Exchange } from "../exchange.ts";
import type { ResponseMessage } from "../message.ts";
import { AnswerWatch } from "./answer-watch.ts";
import { type Priced, tokenColumns } from "./ledger-record.ts";

/**
 * Charges what is known later. It must not throw, and should hold no exchange.
 *
 * @param usage    what has to be added to make the numbers the reported ones; some may be below 0
 * @param tokens   for limits, integer ≥ 0
 * @param exchange the one that fetched the answer
 */
export type ChargeLater = (usage: Usage, tokens: number, exchange: Exchange) => void;

/** A request whose answer has not been seen whole. */
export interface Awaited {
  readonly record: LedgerRecord;
  readonly charges: readonly ChargeLater[];
}

export interface LaterBooks {
  readonly clock: Pick<Clock, "now">;
  priceOf(record: LedgerRecord, usage: Usage): Priced | null;
  /** The difference, for ledger and metrics. */
  enter(record: LedgerRecord): void;
}

const KEPT_MS = 24 * 60 * 60 * 1000;
const MOST = 10_000;
const FETCHES = /\/responses\/([^/]+)(?:\/cancel)?\/*$/i;

export class LaterAnswers {
  readonly #books: LaterBooks;
  readonly #most: number;
  /** By API and id: an answer from elsewhere settles nothing. In the order in which they came. */
  readonly #awaited = new Map<string, Awaited & { readonly untilMs: number }>();

  constructor(books: LaterBooks, most = MOST) {
    this.#books = books;
    this.#most = most;
  }

  get size(): number {
    return this.#awaited.size;
  }

  /** @param record as it was entered, with the answer's id */
  keep({ record, charges }: Awaited): void {
    if (record.answerId === null) return;
    const now = this.#books.clock.now();
    const key = keyOf(record.api, record.answerId);
    // One that is asked for again goes to the end of the row.
    this.#awaited.delete(key);
    for (const [oldest, { untilMs }] of this.#awaited) {
      if (untilMs > now && this.#awaited.size < this.#most) break;
      this.#awaited.delete(oldest);
    }
    this.#awaited.set(key, { record, charges, untilMs: now + KEPT_MS });
  }

  /** @returns the id of the awaited answer that this request fetches; null when it fetches none */
  fetchedBy(exchange: Exchange): string | null {
    const { method, originalUrl } = exchange.request;
    if (this.#awaited.size === 0 || (method !== "GET" && method !== "POST")) return null;
    const id = FETCHES.exec(originalUrl.path)?.[1] ?? null;
    return id !== null && this.#awaited.has(keyOf(exchange.api?.rootId ?? null, id)) ? id : null;
  }

  /** Reads what was fetched, on its way to the caller. */
  watch(exchange: Exchange, response: ResponseMessage, id: string): void {
    const { body } = response;
    if (body === null || response.statusCode >= 400) return;
    const tap = tapAnswer(dialectNamed("openai-responses")!, {
      contentType: response.headers.get("content-type"),
      contentEncoding: body.coding === "" ? null : body.coding,
      keepText: 0,
    });
    const fetched = {
      exchange,
      firstByteMs: null as number | null,
      answerOver: (): void => {
        if (tap.found.id === id) this.#settle(exchange, tap.found, fetched.firstByteMs);
      },
    };
    const watch = new AnswerWatch(fetched, tap, body);
    body.tap((next) => watch.sink(next));
    // A policy may have brought it into memory.
    exchange.onReply(() => void (body.buffered && watch.readBuffered()));
  }

  #settle(exchange: Exchange, found: FoundAnswer, firstByteMs: number | null): void {
    if (found.usage === null || found.goesOn || !found.complete || found.id === null) return;
    const key = keyOf(exchange.api?.rootId ?? null, found.id);
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) return;
    this.#awaited.delete(key);
    if (awaited.untilMs < this.#books.clock.now()) return;
    const record = this.#difference(awaited.record, found, exchange, firstByteMs);
    const usage = usageOf(record);
    for (const charge of awaited.charges) charge(usage, record.chargedTokens, exchange);
    this.#books.enter(record);
  }

  /** What has to stand beside the first record so that both together say what was reported. */
  #difference(
    first: LedgerRecord,
    found: FoundAnswer,
    exchange: Exchange,
    firstByteMs: number | null,
  ): LedgerRecord {
    const usage = found.usage!;
    const served = { ...first, modelServed: found.model ?? first.modelServed };
    const priced = this.#books.priceOf(served, usage);
    return {
      ...served,
      part: first.part + 1,
      timeMs: exchange.timestampMs,
      durationMs: exchange.elapsedMs(),
      firstByteMs,
      status: exchange.attempts.at(-1)?.status ?? 200,
      ending: "finished",
      finishReason: found.finishReason,
      error: found.error,
      attempts: exchange.attempts.length,
      ...tokenColumns(lessUsage(usage, usageOf(first))),
      // Limits give nothing back.
      chargedTokens: Math.max(0, chargedTokens(usage) - first.chargedTokens),
      evidence: "reported",
      costMicros: priced === null ? null : priced.costMicros - (first.costMicros ?? 0),
      price: priced?.price ?? null,
    };
  }
}

function keyOf(api: string | null, id: string): string {
  return `${api ?? ""}\n${id}`;
}

function usageOf(record: LedgerRecord): Usage {
  return {
    prompt: record.promptTokens,
    completion: record.completionTokens,
    total: record.totalTokens,
    cached: record.cachedTokens,
    cacheWrites: record.cacheWriteTokens,
    reasoning: record.reasoningTokens,
    promptAudio: record.promptAudioTokens,
    completionAudio: record.completionAudioTokens,
    cachedInside: record.cachedInside,
  };
}
