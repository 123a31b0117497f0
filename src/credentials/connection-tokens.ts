/**
 * The tokens of all connections (`ai-backends-auth.md` §9.1), one fetch at a time for each:
 *
 *     none, or run out     whoever asks waits for a new one; after a failure nobody asks again before the pause is over
 *     young                given as it is, without a promise
 *     last three minutes   given as it is, while a new one is fetched behind the requests' backs
 *
 * A new one comes from the refresh token that a person's consent brought, or is asked for with the client's own credentials.
 * A token endpoint that is down costs nothing until the token that is here runs out. What a person consented to is kept
 * in the vault before it is used, and leaves it when the configuration no longer has the connection.
 */
import type { Connection, ConnectionToken, Connections } from "../gateway/connections.ts";
import { CredentialError } from "../gateway/identity.ts";
import { readKept, toKept } from "./kept.ts";
import { type TokenSet, TokenRefused } from "./token-answer.ts";
import { type World, refreshTokens, requestToken } from "./token-endpoint.ts";
import type { Vault } from "./vault.ts";

/** As the management REST shows it. */
export interface ConnectionStatus {
  readonly status: "Connected" | "Error";
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Entry {
  /** Of the connection that the tokens were got for. */
  readonly fingerprint: string;
  tokens: TokenSet | null;
  pending: Promise<TokenSet> | null;
  /** On the monotonic clock. */
  pausedUntil: number;
  failures: number;
  lastError: unknown;
}

const AHEAD_MS = 3 * 60_000;
/** A client's own token that does not say how long it lasts is asked for again after this. */
const UNKNOWN_LIFETIME_MS = 10 * 60_000;
/** After the first failure; doubles up to the longest. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export class ConnectionTokens implements Connections {
  readonly entra: string;
  readonly #world: World;
  readonly #vault: Vault;
  readonly #entries = new Map<string, Entry>();

  /** @param entra origin of Microsoft Entra ID */
  constructor(world: World, vault: Vault, entra: string) {
    this.#world = world;
    this.#vault = vault;
    this.entra = entra;
  }

  token(connection: Connection): ConnectionToken | Promise<ConnectionToken> {
    const entry = this.#entryOf(connection);
    const { tokens } = entry;
    const { clock } = this.#world;
    const now = clock.now();
    if (tokens !== null && now < endOf(connection, tokens)) {
      // Its failure has been said; until the token runs out it is nobody's.
      if (
        now >= refreshAt(connection, tokens) &&
        clock.monotonic() >= entry.pausedUntil &&
        canRenew(connection, tokens)
      )
        this.#renew(connection, entry).catch(() => {});
      return tokens;
    }
    if (!canRenew(connection, tokens)) throw notConnected(connection, entry);
    if (entry.pending === null && clock.monotonic() < entry.pausedUntil) throw entry.lastError;
    return this.#renew(connection, entry);
  }

  /** Takes what a person's consent brought. @throws Error when it cannot be kept */
  connect(connection: Connection, tokens: TokenSet): void {
    this.#keep(connection, tokens);
    this.#entries.set(connection.key, entryFor(connection, tokens));
  }

  /** These connections are gone from the configuration, and so are their tokens. */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#entries.delete(key);
      this.#vault.remove(key);
    }
  }

  status(connection: Connection): ConnectionStatus {
    const entry = this.#entryOf(connection);
    const { tokens, lastError } = entry;
    const alive = tokens !== null && this.#world.clock.now() < endOf(connection, tokens);
    if (alive || (canRenew(connection, tokens) && lastError === null))
      return { status: "Connected", error: null };
    if (lastError === null)
      return {
        status: "Error",
        error: { code: "Unauthenticated", message: "This connection is not authenticated." },
      };
    const code = (lastError instanceof TokenRefused ? lastError.code : null) ?? "TokenUnavailable";
    const message = lastError instanceof CredentialError ? lastError.message : "There is no token.";
    return { status: "Error", error: { code, message } };
  }

  #entryOf(connection: Connection): Entry {
    const known = this.#entries.get(connection.key);
    if (known !== undefined && known.fingerprint === connection.fingerprint) return known;
    const entry = entryFor(connection, this.#kept(connection));
    this.#entries.set(connection.key, entry);
    return entry;
  }

  #kept(connection: Connection): TokenSet | null {
    if (connection.grant !== "authorizationCode") return null;
    const kept = readKept(this.#vault.read(connection.key));
    return kept === null || kept.fingerprint !== connection.fingerprint ? null : kept.tokens;
  }

  #keep(connection: Connection, tokens: TokenSet): void {
    if (connection.grant !== "authorizationCode") return;
    this.#vault.write(connection.key, toKept(connection.fingerprint, tokens));
  }

  #renew(connection: Connection, entry: Entry): Promise<TokenSet> {
    return (entry.pending ??= this.#renewNow(connection, entry).finally(() => (entry.pending = null)));
  }

  async #renewNow(connection: Connection, entry: Entry): Promise<TokenSet> {
    const { clock } = this.#world;
    const old = entry.tokens;
    try {
      const fresh =
        connection.grant === "clientCredentials"
          ? await requestToken(this.#world, connection)
          : await refreshTokens(this.#world, connection, old!);
      if (endOf(connection, fresh) <= clock.now())
        throw new TokenRefused(
          `the token of ${connection.id} had run out when it came; is the clock right?`,
          null,
        );
      // A new consent, or another configuration, has overtaken this.
      const current = this.#entries.get(connection.key) === entry;
      if (current) this.#keepOrSay(connection, fresh);
      entry.tokens = fresh;
      entry.failures = 0;
      entry.lastError = null;
      entry.pausedUntil = -Infinity;
      return fresh;
    } catch (error) {
      this.#failed(connection, entry, error);
      throw error;
    }
  }

  #failed(connection: Connection, entry: Entry, error: unknown): void {
    const { clock, log } = this.#world;
    entry.lastError = error;
    entry.pausedUntil = clock.monotonic() + Math.min(FIRST_PAUSE_MS * 2 ** entry.failures, LONGEST_PAUSE_MS);
    entry.failures = Math.min(entry.failures + 1, 10);
    const { tokens } = entry;
    // The consent is over: nothing will mend it but another one.
    if (tokens !== null && error instanceof TokenRefused && error.code === "invalid_grant") {
      entry.tokens = { ...tokens, refreshToken: null };
      if (this.#entries.get(connection.key) === entry) this.#keepOrSay(connection, entry.tokens);
    }
    const left = tokens === null ? 0 : Math.max(0, endOf(connection, tokens) - clock.now());
    log({
      level: left > 0 ? "warning" : "error",
      msg: "a credential cannot be fetched",
      code: "credential_unavailable",
      credential: connection.id,
      error: error instanceof Error ? error.message : String(error),
      // The one that is here goes on serving for so long.
      secondsLeft: left === Infinity ? null : Math.floor(left / 1000),
    });
  }

  /** The token is good even when it cannot be kept. */
  #keepOrSay(connection: Connection, tokens: TokenSet): void {
    try {
      this.#keep(connection, tokens);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#world.log({
        level: "error",
        msg: "credentials cannot be kept",
        credential: connection.id,
        error: message,
      });
    }
  }
}

function entryFor(connection: Connection, tokens: TokenSet | null): Entry {
  return {
    fingerprint: connection.fingerprint,
    tokens,
    pending: null,
    pausedUntil: -Infinity,
    failures: 0,
    lastError: null,
  };
}

/** Ms since the epoch. */
function endOf({ grant }: Connection, { expiresAt, issuedAt }: TokenSet): number {
  if (expiresAt !== null) return expiresAt;
  // Consents may well last until they are withdrawn.
  return grant === "clientCredentials" ? issuedAt + UNKNOWN_LIFETIME_MS : Infinity;
}

function refreshAt(connection: Connection, tokens: TokenSet): number {
  const end = endOf(connection, tokens);
  return end - tokens.issuedAt > AHEAD_MS ? end - AHEAD_MS : end;
}

function canRenew({ grant }: Connection, tokens: TokenSet | null): boolean {
  return grant === "clientCredentials" || (tokens !== null && tokens.refreshToken !== null);
}

function notConnected({ id }: Connection, { tokens, lastError }: Entry): CredentialError {
  const again = `\`headgate login ${id}\` prints the link`;
  if (tokens === null)
    return new CredentialError(`Nobody has given consent for the connection ${id} yet: ${again}.`);
  const why = lastError instanceof CredentialError ? ` (${lastError.message})` : "";
  return new CredentialError(
    `The consent for the connection ${id} is over${why}; it has to be given again: ${again}.`,
  );
}
