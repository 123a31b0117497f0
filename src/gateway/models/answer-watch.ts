/** One answer of a model, looked at while it passes. */
import type { AnswerTap } from "../../llm/response-tap.ts";
import { Observations } from "../../telemetry/metrics/registry.ts";
import type { BodySink, TransportError } from "../../transport/transport.ts";
import type { Exchange } from "../exchange.ts";
import type { ResponseMessage } from "../message.ts";

/** Seconds, as the conventions have them for chunks. */
export const CHUNK_SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/** Who is told of an answer. */
export interface Watching {
  readonly exchange: Exchange;
  /** On the exchange's own time; null before the first octet. */
  firstByteMs: number | null;
  /** The answer has ended or broken off. @returns a promise when counting takes its time */
  answerOver(error: TransportError | null): void | Promise<void>;
}

/** Looks at one answer on its way, whether it streams to the client or was brought into memory by a policy. */
export class AnswerWatch {
  readonly tap: AnswerTap;
  readonly body: NonNullable<ResponseMessage["body"]>;
  readonly #call: Watching;
  /** Seconds between its chunks; null unless it streams and has had two. */
  gaps: Observations | null = null;
  readonly #streams: boolean;
  #lastMs = 0;
  over = false;

  /** @param streams the caller wants it bit by bit */
  constructor(call: Watching, tap: AnswerTap, body: NonNullable<ResponseMessage["body"]>, streams = false) {
    this.#streams = streams;
    this.#call = call;
    this.tap = tap;
    this.body = body;
  }

  readBuffered(): void | Promise<void> {
    const { wire } = this.body;
    if (this.over || wire === null) return;
    this.#take(wire);
    return this.#end(null);
  }

  #take(chunk: Uint8Array): void {
    if (this.#streams) this.#clock();
    else if (this.#call.firstByteMs === null) this.#call.firstByteMs = this.#call.exchange.elapsedMs();
    this.tap.write(chunk);
  }

  #clock(): void {
    const nowMs = this.#call.exchange.elapsedMs();
    this.#call.firstByteMs ??= nowMs;
    if (this.#lastMs > 0) (this.gaps ??= new Observations(CHUNK_SECONDS)).note((nowMs - this.#lastMs) / 1000);
    this.#lastMs = nowMs;
  }

  /** @returns a promise when what was read or counted takes its time */
  #end(error: TransportError | null): void | Promise<void> {
    this.over = true;
    const reading = this.tap.end();
    return reading === undefined
      ? this.#call.answerOver(error)
      : reading.then(() => this.#call.answerOver(error));
  }

  sink(next: BodySink): BodySink {
    if (this.over) return next;
    return {
      borrows: next.borrows,
      write: (chunk) => {
        if (!this.over) this.#take(chunk);
        return next.write(chunk);
      },
      end: (trailers) => {
        const waiting = this.over ? undefined : this.#end(null);
        if (waiting === undefined) next.end(trailers);
        else void waiting.then(() => next.end(trailers));
      },
      fail: (error) => {
        const waiting = this.over ? undefined : this.#end(error);
        if (waiting === undefined) next.fail(error);
        else void waiting.then(() => next.fail(error));
      },
    };
  }
}
