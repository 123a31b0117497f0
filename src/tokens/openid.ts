/**
 * OpenID configuration documents and the key sets behind them (`policies.md` §18.2), kept for all policies of the process.
 *
 *     no document   the request waits for it; after a failure nobody asks again before the pause is over
 *     < 1 h         used as it is
 *     ≥ 1 h         used as it is while a new one is fetched behind the requests' backs
 *     ≥ max stale   not used any more: keys of that age may have been revoked (`reliability.md` A2: 24 h)
 *
 * A token that no known key fits makes for a fetch at once, at most every 5 minutes whoever asks. One fetch runs at a time.
 */
import { isJsonObject } from "../base/json-object.ts";
import { callOut } from "../backends/own-requests/call-out.ts";
import { parseUrl } from "../backends/own-requests/own-request.ts";
import type { Services } from "../gateway/services.ts";
import type { EgressOptions } from "../gateway/snapshot.ts";
import { type VerificationKey, readKeySet } from "./keys.ts";

export const FRESH_MS = 60 * 60_000;
/** Between two fetches that tokens with unknown keys cause, and the longest pause after failures. */
export const REFETCH_MS = 5 * 60_000;
export const MAX_STALE_MS = 24 * 60 * 60_000;
/** Less would fetch for nearly every request. */
export const LEAST_STALE_S = 60;
/** After the first failure of a document that was never there; doubles up to `REFETCH_MS`. */
const FIRST_PAUSE_MS = 1000;
const TIMEOUT_MS = 5000;
const MOST_BYTES = 1024 * 1024;
const MOST_REDIRECTS = 3;
/** Expressions may name any number of documents. */
const MOST_SOURCES = 200;

type World = Pick<Services, "client" | "clock" | "log">;

/** One OpenID configuration. */
export class OpenIdSource {
  readonly url: string;
  /** As the document says; may hold `{tenantid}`. Empty while there is none. */
  issuer = "";
  keys: readonly VerificationKey[] = [];
  /** Grows when the keys changed. */
  generation = 0;
  readonly #world: World;
  /** All on the monotonic clock, in ms. */
  #fetchedAt: number | null = null;
  #forcedAt = -Infinity;
  #pausedUntil = -Infinity;
  #failures = 0;
  #pending: Promise<void> | null = null;
  #keysText = "";

  constructor(url: string, world: World) {
    this.url = url;
    this.#world = world;
  }

  /** Whether keys and issuer may be believed now. */
  isUsable(maxStaleMs: number): boolean {
    return this.#fetchedAt !== null && this.#world.clock.monotonic() - this.#fetchedAt < maxStaleMs;
  }

  /**
   * Sees to it that there is something to use, if it can be had.
   *
   * @returns what to wait for; nothing when there is nothing to wait for. It never rejects: ask `isUsable` afterwards
   */
  prepare(egress: EgressOptions, maxStaleMs: number): Promise<void> | undefined {
    const now = this.#world.clock.monotonic();
    const age = this.#fetchedAt === null ? Infinity : now - this.#fetchedAt;
    if (age < Math.min(FRESH_MS, maxStaleMs)) return undefined;
    if (this.#pending === null && now < this.#pausedUntil) return undefined;
    const fetching = this.#fetch(egress);
    return age < maxStaleMs ? undefined : fetching;
  }

  /** A token came whose key is not known. @returns what to wait for; nothing when it is too soon to ask again */
  refetch(egress: EgressOptions): Promise<void> | undefined {
    const now = this.#world.clock.monotonic();
    if (this.#pending !== null) return this.#pending;
    if (now - this.#forcedAt < REFETCH_MS || now < this.#pausedUntil) return undefined;
    this.#forcedAt = now;
    return this.#fetch(egress);
  }

  #fetch(egress: EgressOptions): Promise<void> {
    return (this.#pending ??= this.#fetchNow(egress).finally(() => (this.#pending = null)));
  }

  async #fetchNow(egress: EgressOptions): Promise<void> {
    const { clock, log } = this.#world;
    try {
      const found = await fetchConfiguration(this.url, this.#world, egress);
      if (found.keysText !== this.#keysText) {
        this.generation++;
        this.keys = found.keys;
        this.#keysText = found.keysText;
      }
      this.issuer = found.issuer;
      this.#fetchedAt = clock.monotonic();
      this.#failures = 0;
      this.#pausedUntil = -Infinity;
    } catch (error) {
      const pause =
        this.#fetchedAt === null ? Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, REFETCH_MS) : REFETCH_MS;
      this.#failures = Math.min(this.#failures + 1, 30);
      this.#pausedUntil = clock.monotonic() + pause;
      const detail = error instanceof Error ? error.message : String(error);
      log({
        level: "warn",
        msg: "openid configuration not available",
        url: withoutQuery(this.url),
        error: detail,
        retrySeconds: pause / 1000,
      });
    }
  }
}

/** The sources of one process. */
export class OpenIdDirectory {
  readonly #world: World;
  readonly #sources = new Map<string, OpenIdSource>();

  constructor(world: World) {
    this.#world = world;
  }

  source(url: string): OpenIdSource {
    const found = this.#sources.get(url);
    if (found === undefined && this.#sources.size >= MOST_SOURCES)
      this.#sources.delete(this.#sources.keys().next().value!);
    // The one used last stands last.
    if (found !== undefined) this.#sources.delete(url);
    const source = found ?? new OpenIdSource(url, this.#world);
    this.#sources.set(url, source);
    return source;
  }
}

interface Configuration {
  readonly issuer: string;
  readonly keys: readonly VerificationKey[];
  readonly keysText: string;
}

/** @throws Error that says what is wrong with which of the two documents */
async function fetchConfiguration(url: string, world: World, egress: EgressOptions): Promise<Configuration> {
  const document = parse(await get(url, world, egress), "the configuration");
  const { issuer, jwks_uri: keysUrl } = document;
  if (typeof issuer !== "string" || issuer === "") throw new Error("the configuration has no issuer");
  if (typeof keysUrl !== "string") throw new Error("the configuration has no jwks_uri");
  if (isSecure(url) && !isSecure(keysUrl))
    throw new Error("the configuration is https and its jwks_uri is not");
  const keysText = await get(keysUrl, world, egress);
  const keys = readKeySet(parse(keysText, "the key set"));
  if (keys === null) throw new Error("what jwks_uri answers is no key set");
  if (keys.length === 0) throw new Error("the key set has no key that verifies signatures");
  return { issuer, keys, keysText };
}

function parse(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (!isJsonObject(value)) throw new Error(`${what} is not a JSON object`);
  return value;
}

const decoder = new TextDecoder();

async function get(url: string, world: World, egress: EgressOptions): Promise<string> {
  let where = url;
  for (let redirects = 0; ; redirects++) {
    const parsed = parseUrl(where);
    if (parsed === null) throw new Error(`"${withoutQuery(where)}" is not an absolute http or https URL`);
    const { target, path, query } = parsed;
    const answer = await callOut(world, egress, {
      request: {
        method: "GET",
        scheme: target.scheme,
        host: target.host,
        port: target.port,
        target: query === "" ? path : `${path}?${query}`,
        rawHeaders: ["Host", target.authority, "Accept", "application/json", "Accept-Encoding", "gzip"],
        body: null,
      },
      timeoutMs: TIMEOUT_MS,
      limitBytes: MOST_BYTES,
      abort: null,
    });
    if (answer.statusCode === 200) return answer.body === null ? "" : decoder.decode(answer.body.bytes());
    const location =
      answer.statusCode >= 301 && answer.statusCode <= 308 ? answer.headers.get("location") : null;
    if (location === null || redirects === MOST_REDIRECTS)
      throw new Error(`${withoutQuery(where)} answered ${answer.statusCode}`);
    const next = URL.parse(location, where)?.href ?? location;
    if (isSecure(where) && !isSecure(next)) throw new Error(`${withoutQuery(where)} leads away from https`);
    where = next;
  }
}

function isSecure(url: string): boolean {
  return /^\s*https:/i.test(url);
}

function withoutQuery(url: string): string {
  return url
    .trim()
    .replace(/[?#].*$/s, "")
    .slice(0, 300);
}
