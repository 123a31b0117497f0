/**
 * JSON lines on a stream, gathered and written together: a line costs an append, not a system call. A reader that
 * does not keep up loses lines (counted and said), never a request.
 */
import type { Writable } from "node:stream";

export interface LineLog {
  /** Adds one line. Must not hold secrets or bodies: it is written as it is. */
  write(record: Readonly<Record<string, unknown>>): void;
  /** Adds a line that is JSON already, without the line end. */
  writeText(line: string): void;
  /** Lines given up because the reader was too slow. */
  readonly dropped: number;
  /** Hands everything to the stream; resolves when it is written. */
  flush(): Promise<void>;
}

const FLUSH_AFTER_MS = 100;
const FLUSH_AT_CHARACTERS = 32 * 1024;
/** Octets waiting in the stream before lines are given up. */
const MOST_WAITING = 8 * 1024 * 1024;

export function createLineLog(stream: Writable): LineLog {
  let pending = "";
  let timer: NodeJS.Timeout | null = null;
  let dropped = 0;
  let unsaid = 0;

  function flushNow(done?: () => void): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (unsaid > 0 && stream.writableLength <= MOST_WAITING) {
      pending += `${JSON.stringify({ level: "warn", msg: "log lines dropped", count: unsaid })}\n`;
      unsaid = 0;
    }
    const text = pending;
    pending = "";
    if (text === "") done?.();
    else stream.write(text, () => done?.());
  }

  function writeText(line: string): void {
    if (stream.writableLength > MOST_WAITING) {
      dropped++;
      unsaid++;
      return;
    }
    pending += line;
    pending += "\n";
    if (pending.length >= FLUSH_AT_CHARACTERS) flushNow();
    else timer ??= setTimeout(flushNow, FLUSH_AFTER_MS).unref();
  }

  return {
    write: (record) => writeText(JSON.stringify(record)),
    writeText,
    get dropped() {
      return dropped;
    },
    flush: () => new Promise((resolve) => flushNow(resolve)),
  };
}
