/**
 * One connection to a Redis or Valkey that never makes a caller wait longer than `timeoutMs`, and not at all once it is known
 * to be in trouble. Time in which this process was held up by other work does not count, so that a flood of requests is not
 * taken for a Redis that hangs.
 *
 * The link is up or down. The first call that fails or times out takes it down; while it is down callers are told at once.
 * A probe every 250 ms brings it up again, so no caller's request is the one that finds out. A probe that
 * has failed four times in a row asks for a new connection: a peer that vanished without a word would never end the old one.
 *
 * The client library is loaded when the first link is opened: who needs no Redis pays nothing for it.
 */
import type { Redis } from "ioredis";
import type { Clock } from "../base/clock.ts";
import type { RedisAddress } from "./connection-string.ts";

export interface RedisLinkOptions {
  readonly clock: Clock;
  /** Default 50. */
  readonly timeoutMs?: number;
  /** Lua by name; each is sent once and then called by its hash. */
  readonly scripts?: Readonly<Record<string, string>>;
  /**
   * What makes the link useful: `write` = a replica or a full server counts as down, `read` = it may still be read.
   */
  readonly needs: "read" | "write";
  /** Errors in answers that say nothing about the link, besides those that never do. */
  readonly harmless?: RegExp;
  /** Told when it comes up or goes down; `reason` holds no secret. */
  readonly onChange?: (up: boolean, reason: string) => void;
}

const PROBE_EVERY_MS = 250;
const PROBES_UNTIL_RECONNECT = 4;
const DEFAULT_TIMEOUT_MS = 50;
/** A timer as late as this was held up by our own work. */
const HELD_UP_MS = 5;
const MOST_EXTENSIONS = 4;

export class RedisLink {
  readonly #address: RedisAddress;
  readonly #options: RedisLinkOptions;
  readonly #timeoutMs: number;
  readonly #upListeners: (() => void)[] = [];
  #client: Redis | null = null;
  #up = false;
  #closed = false;
  #failedProbes = 0;
  #isProbing = false;
  #cancelProbe: () => void = () => {};
  #lastError = "";

  constructor(address: RedisAddress, options: RedisLinkOptions) {
    this.#address = address;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Calls are answered; when false they are refused at once. */
  get up(): boolean {
    return this.#up;
  }

  /** Begins to connect and goes on trying until `close`. */
  async open(): Promise<void> {
    const { Redis: Client } = await import("ioredis");
    if (this.#closed) return;
    const { host, port, user, password, tls, tlsHost, database, connectTimeoutMs } = this.#address;
    const client = new Client({
      host,
      port,
      username: user ?? undefined,
      password: password ?? undefined,
      db: database,
      tls: tls ? { servername: tlsHost } : undefined,
      connectTimeout: connectTimeoutMs,
      // A call either goes out now or not at all, and at most once: a count must not be sent twice.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
      reconnectOnError: (error) => this.#options.needs === "write" && error.message.startsWith("READONLY"),
    });
    this.#client = client;
    for (const [name, lua] of Object.entries(this.#options.scripts ?? {}))
      client.defineCommand(name, { lua });
    client.on("error", (error: Error) => void (this.#lastError = error.message));
    client.on("close", () =>
      this.#setUp(false, this.#lastError === "" ? "the connection was closed" : this.#lastError),
    );
    client.on("ready", () => void this.#probe());
    this.#probeLater();
  }

  /** Calls back each time the link comes up. */
  onUp(listener: () => void): void {
    this.#upListeners.push(listener);
  }

  /** Resolves when the link is up; for whoever would rather wait at start. */
  whenUp(): Promise<void> {
    return this.#up ? Promise.resolve() : new Promise((resolve) => this.onUp(resolve));
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    this.#cancelProbe();
    this.#client?.disconnect();
  }

  /**
   * Sends a command or script. Rejects when the link is down, the answer is an error, or none comes in time.
   *
   * @param name     a command in lower case, or a script's name, whose first argument is the number of its keys
   */
  call(name: string, args: readonly (string | number | Uint8Array)[]): Promise<unknown> {
    if (!this.#up) return Promise.reject(new RedisUnavailable("the link is down"));
    return this.#send(name, args).catch((error: unknown) => {
      if (this.#isTrouble(error)) {
        this.#setUp(false, error instanceof Error ? error.message : String(error));
        this.#probeLater();
      }
      throw error;
    });
  }

  #send(name: string, args: readonly (string | number | Uint8Array)[]): Promise<unknown> {
    const client = this.#client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const { clock } = this.#options;
    const timeoutMs = this.#timeoutMs;
    return new Promise((resolve, reject) => {
      let settled = false;
      let due = clock.monotonic() + timeoutMs;
      let extensions = MOST_EXTENSIONS;
      const late = (): void => {
        // A timer that fires too late says that this process was held up, not Redis: it could not even listen.
        const now = clock.monotonic();
        if (now - due > HELD_UP_MS && extensions-- > 0) {
          due = now + timeoutMs;
          cancel = clock.after(timeoutMs, late);
          return;
        }
        // The answer may be waiting behind this timer: let it speak first.
        setImmediate(() => {
          if (!settled) reject(new RedisUnavailable(`no answer within ${timeoutMs} ms`));
        });
      };
      let cancel = clock.after(timeoutMs, late);
      client[name]!(...args).then(
        (value) => {
          settled = true;
          cancel();
          resolve(value);
        },
        (error: unknown) => {
          settled = true;
          cancel();
          reject(error instanceof Error ? error : new RedisUnavailable(String(error)));
        },
      );
    });
  }

  /** Errors that say something about one key or script leave the link up. */
  #isTrouble(error: unknown): boolean {
    if (!(error instanceof Error) || error.name !== "ReplyError") return true;
    if (/^(?:WRONGTYPE|ERR|NOSCRIPT|NOPERM)\b/.test(error.message)) return false;
    if (this.#options.harmless?.test(error.message) === true) return false;
    return this.#options.needs === "write" || !/^(?:READONLY|OOM|MISCONF)\b/.test(error.message);
  }

  #setUp(up: boolean, reason: string): void {
    if (up === this.#up || this.#closed) return;
    this.#up = up;
    this.#options.onChange?.(up, reason);
    if (up) for (const listener of this.#upListeners) listener();
  }

  #probeLater(): void {
    this.#cancelProbe();
    if (!this.#closed)
      this.#cancelProbe = this.#options.clock.after(PROBE_EVERY_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    if (this.#isProbing || this.#closed) return;
    this.#isProbing = true;
    try {
      if (this.#options.needs === "write") await this.#send("set", ["headgate:probe", "1", "PX", 10_000]);
      else await this.#send("ping", []);
      this.#failedProbes = 0;
      this.#setUp(true, "");
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      if (++this.#failedProbes % PROBES_UNTIL_RECONNECT === 0 && this.#client?.status === "ready")
        this.#client.disconnect(true);
    }
    this.#isProbing = false;
    if (!this.#up) this.#probeLater();
  }
}

export class RedisUnavailable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "RedisUnavailable";
  }
}
