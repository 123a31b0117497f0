/**
 * An answer as data: a head, then either a whole body or a lazy list of steps. A stream of a hundred thousand
 * tokens thus never exists at once, and pacing, faults and odd framing are wrappers around one list.
 */

/** Write this · wait · break off (`reset` closes the connection, `stall` goes silent and leaves it open). */
export type Step = string | Uint8Array | { readonly waitMs: number } | { readonly end: "reset" | "stall" };

export interface Answer {
  readonly status: number;
  /**
   * Flat `[name, value, …]`. Framing headers are the transport's, except a Content-Length given on purpose.
   */
  readonly headers: string[];
  /** Wait before the head. */
  readonly latencyMs?: number;
  /** A string or bytes go out in one piece; steps are streamed. */
  readonly body: string | Uint8Array | Iterable<Step>;
}

/** Waits `waitMs` before every write but the first. */
export function* paced(steps: Iterable<Step>, waitMs: number): Generator<Step> {
  const wait = { waitMs };
  let first = true;
  for (const step of steps) {
    if (!first) yield wait;
    first = false;
    yield step;
  }
}

/** Passes `count` writes, then breaks off, or goes on with `instead` and ends properly. */
export function* brokenAfter(
  steps: Iterable<Step>,
  count: number,
  instead: Step | Iterable<Step>,
): Generator<Step> {
  let left = count;
  if (left > 0) {
    for (const step of steps) {
      yield step;
      if (isWrite(step) && --left === 0) break;
    }
  }
  if (isWrite(instead) || !(Symbol.iterator in instead)) yield instead;
  else yield* instead;
}

/** The same bytes in writes of exactly `sizeBytes` (the last may be shorter), wherever that cuts. */
export function* sliced(steps: Iterable<Step>, sizeBytes: number): Generator<Step> {
  let slice = new Uint8Array(sizeBytes);
  let filled = 0;
  for (const step of steps) {
    if (!isWrite(step)) {
      yield step;
      continue;
    }
    const bytes = toBytes(step);
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(bytes.length - at, sizeBytes - filled);
      slice.set(bytes.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < sizeBytes) continue;
      yield slice;
      slice = new Uint8Array(sizeBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield slice.subarray(0, filled);
}

/** A `: ping` comment event before every `every`-th write, as some providers send to keep proxies awake. */
export function* pinged(steps: Iterable<Step>, every: number): Generator<Step> {
  let writes = 0;
  for (const step of steps) {
    if (isWrite(step) && writes++ % every === 0) yield ": ping\n\n";
    yield step;
  }
}

/** Line ends of an event stream as CR LF. JSON has no bare line feed, so replacing them all is safe. */
export function* carriageReturned(steps: Iterable<Step>): Generator<Step> {
  for (const step of steps) yield typeof step === "string" ? step.replaceAll("\n", "\r\n") : step;
}

export function isWrite(step: Step | Iterable<Step>): step is string | Uint8Array {
  return typeof step === "string" || step instanceof Uint8Array;
}

const encoder = new TextEncoder();

export function toBytes(step: string | Uint8Array): Uint8Array {
  return typeof step === "string" ? encoder.encode(step) : step;
}
