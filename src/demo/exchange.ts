/** One request on the wire: collect the body, get the answer, play it out at the caller's pace. */
import { TransportError, type BodySink, type Incoming } from "../transport/transport.ts";
import { isWrite, toBytes, type Answer, type Step } from "./steps.ts";
import type { Outcome, SeenRequest } from "./seen.ts";

/**
 * Reads a body of at most `limitBytes`. `done` gets the bytes, or null when there were more; at most one
 * call.
 */
export class BodyCollector implements BodySink {
  readonly #incoming: Incoming;
  readonly #limitBytes: number;
  readonly #done: (body: Uint8Array | null) => void;
  readonly #gone: () => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #over = false;

  /** @param gone the body broke off: the caller left, or took too long */
  constructor(
    incoming: Incoming,
    limitBytes: number,
    done: (body: Uint8Array | null) => void,
    gone: () => void,
  ) {
    this.#incoming = incoming;
    this.#limitBytes = limitBytes;
    this.#done = done;
    this.#gone = gone;
  }

  start(): void {
    const body = this.#incoming.body;
    if (body === null) this.#done(new Uint8Array(0));
    else if (body.length !== undefined && body.length > this.#limitBytes) this.#refuse();
    else body.start(this);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return false;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limitBytes) {
      this.#refuse();
      return false;
    }
    this.#chunks.push(chunk);
    return true;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks));
  }

  fail(error: TransportError): void {
    if (this.#over) return;
    this.#over = true;
    this.#chunks = [];
    if (error.code === "body_too_large") this.#done(null);
    else this.#gone();
  }

  /** Answers first: cancelling may close the connection. */
  #refuse(): void {
    this.#over = true;
    this.#chunks = [];
    this.#done(null);
    this.#incoming.body?.cancel();
  }
}

/** Plays an answer into a reply. Stops at once when the caller hangs up; never writes into a full sink. */
export class Playback {
  readonly #incoming: Incoming;
  readonly #answer: Answer;
  readonly #seen: SeenRequest;
  readonly #finished: (outcome: Outcome) => void;
  #steps: Iterator<Step> | null = null;
  #sink: BodySink | null = null;
  #timer: NodeJS.Timeout | null = null;
  #over = false;

  constructor(incoming: Incoming, answer: Answer, seen: SeenRequest, finished: (outcome: Outcome) => void) {
    this.#incoming = incoming;
    this.#answer = answer;
    this.#seen = seen;
    this.#finished = finished;
  }

  start(): void {
    this.#incoming.abort.onAbort(() => this.#stop());
    if (this.#over) return;
    this.#incoming.reply.onFinish((complete) => this.#close(complete ? "complete" : "closed-early"));
    this.#wait(this.#answer.latencyMs ?? 0, () => this.#head());
  }

  #head(): void {
    const { status, headers, body } = this.#answer;
    this.#seen.status = status;
    if (typeof body === "string" || body instanceof Uint8Array) {
      this.#seen.chunks = 1;
      this.#incoming.reply.send(status, "", headers, toBytes(body));
      return;
    }
    this.#steps = body[Symbol.iterator]();
    this.#sink = this.#incoming.reply.head(status, "", headers, () => this.#play());
    this.#play();
  }

  /** Takes steps until one waits, the sink is full or nothing is left. */
  #play(): void {
    while (!this.#over && this.#timer === null) {
      const next = this.#next();
      if (next === null) return;
      if (next.done === true) {
        this.#over = true;
        this.#sink!.end();
        return;
      }
      const step = next.value;
      if (isWrite(step)) {
        this.#seen.chunks++;
        if (!this.#sink!.write(toBytes(step))) return;
      } else if ("waitMs" in step) {
        if (step.waitMs > 0) this.#wait(step.waitMs, () => this.#play());
      } else {
        this.#breakOff(step.end);
        return;
      }
    }
  }

  /** Steps may throw (a script's, above all): the caller then sees a broken answer, `seen.error` says why. */
  #next(): IteratorResult<Step> | null {
    try {
      return this.#steps!.next();
    } catch (error) {
      this.#seen.error = error;
      this.#breakOff("reset");
      return null;
    }
  }

  #wait(ms: number, then: () => void): void {
    if (ms <= 0) {
      then();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      then();
    }, ms);
  }

  /** After a stall only the caller's hang-up (or `close()`) ends the exchange. */
  #breakOff(how: "reset" | "stall"): void {
    this.#over = true;
    this.#steps?.return?.();
    if (how === "stall") return;
    this.#close("broken");
    this.#sink!.fail(new TransportError("upstream_closed", "The demo model broke off, as ordered."));
  }

  #stop(): void {
    this.#close("closed-early");
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#steps?.return?.();
  }

  #close(outcome: Outcome): void {
    this.#finished(outcome);
  }
}
