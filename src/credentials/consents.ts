/**
 * How a person consents (`ai-backends-auth.md` §9.1): a login link leads to the provider, the provider sends the browser back
 * to the callback with a code, the code becomes tokens. What ties the two together is the state: signed, for one use, and
 * good for ten minutes, in which the link has to be opened and the sign-in finished. It is kept in this process, so a
 * restart in between asks for a new link.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Connection, ConnectionIndex } from "../gateway/connections.ts";
import { CredentialError } from "../gateway/identity.ts";
import type { ConnectionTokens } from "./connection-tokens.ts";
import { type TokenSet, shown } from "./token-answer.ts";
import { type World, exchangeCode } from "./token-endpoint.ts";

/** What the browser is shown or where it goes. */
export type Landing =
  | { readonly kind: "redirect"; readonly url: string }
  | { readonly kind: "page"; readonly status: number; readonly title: string; readonly text: string };

/** Why there is no login link. The code is in the management REST's manner. */
export class LoginRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "LoginRefused";
    this.code = code;
  }
}

interface Pending {
  readonly connection: Connection;
  readonly redirectUrl: string;
  readonly verifier: string | null;
  readonly postLoginRedirectUrl: string | null;
  /** Ms since the epoch. */
  readonly expiresAt: number;
}

export const CALLBACK_PATH = "/authorization-manager/redirect/";
const LIFETIME_MS = 10 * 60_000;
/** Links that nobody opened make room for new ones, the oldest first. */
const MOST_PENDING = 1000;

export class Consents {
  readonly #world: World;
  readonly #tokens: ConnectionTokens;
  readonly #publicUrl: () => string;
  readonly #key = randomBytes(32);
  readonly #pending = new Map<string, Pending>();

  /** @param publicUrl where browsers reach this gateway, without final slash */
  constructor(world: World, tokens: ConnectionTokens, publicUrl: () => string) {
    this.#world = world;
    this.#tokens = tokens;
    this.#publicUrl = publicUrl;
  }

  /** Where the provider sends the browser back to; this is what is registered there. */
  redirectUrl({ provider, redirectUrl }: Connection): string {
    return redirectUrl ?? `${this.#publicUrl()}${CALLBACK_PATH}${encodeURIComponent(provider)}`;
  }

  /**
   * A link for the person whose consent it is.
   *
   * @param postLoginRedirectUrl where the browser goes in the end; null = a page that says so
   * @throws LoginRefused
   */
  loginLink(connection: Connection, postLoginRedirectUrl: string | null): string {
    const { authorizationUrl, clientId, scope, pkce, authorizationParameters } = connection;
    if (authorizationUrl === null)
      throw new LoginRefused(
        "ValidationError",
        `${connection.id} uses the client's own credentials; nobody signs in for it.`,
      );
    if (postLoginRedirectUrl !== null && !isWebUrl(postLoginRedirectUrl))
      throw new LoginRefused("ValidationError", "postLoginRedirectUrl is not an absolute http or https URL.");
    const verifier = pkce ? randomBytes(32).toString("base64url") : null;
    const redirectUrl = this.redirectUrl(connection);
    const expiresAt = this.#world.clock.now() + LIFETIME_MS;
    const state = this.#remember({ connection, redirectUrl, verifier, postLoginRedirectUrl, expiresAt });
    const link = new URL(authorizationUrl);
    const query = link.searchParams;
    query.set("response_type", "code");
    query.set("client_id", clientId);
    query.set("redirect_uri", redirectUrl);
    if (scope !== "") query.set("scope", scope);
    for (const [name, value] of Object.entries(authorizationParameters)) query.set(name, value);
    query.set("state", state);
    if (verifier !== null) {
      query.set("code_challenge", createHash("sha256").update(verifier).digest("base64url"));
      query.set("code_challenge_method", "S256");
    }
    return link.href;
  }

  /**
   * The browser is back from the provider.
   *
   * @param provider the last segment of the callback's path, decoded
   * @param current  the connections of the configuration that is in force
   */
  async land(provider: string, query: URLSearchParams, current: ConnectionIndex): Promise<Landing> {
    const pending = this.#take(query.get("state") ?? "");
    if (pending === null || pending.connection.provider.toLowerCase() !== provider.toLowerCase())
      return page(400, "This link cannot be used", "It was used already, is too old, or is not one of ours.");
    const { connection } = pending;
    const error = query.get("error");
    if (error !== null) return page(400, "There was no consent", `The provider says: ${shown(error)}.`);
    const code = query.get("code");
    if (code === null || code === "") return page(400, "There was no consent", "The provider sent no code.");
    if (current.get(connection.key)?.fingerprint !== connection.fingerprint)
      return page(400, "This link cannot be used", "The connection has been changed since it was made.");
    let tokens: TokenSet;
    try {
      tokens = await exchangeCode(this.#world, connection, code, pending.redirectUrl, pending.verifier);
    } catch (failure) {
      if (!(failure instanceof CredentialError)) throw failure;
      this.#say("error", connection, failure.message);
      return page(502, "There are no tokens", `Consent was given, but ${failure.message}.`);
    }
    try {
      this.#tokens.connect(connection, tokens);
    } catch (failure) {
      this.#say("error", connection, failure instanceof Error ? failure.message : String(failure));
      return page(500, "The tokens cannot be kept", "The log of the gateway says why.");
    }
    this.#say("info", connection, null);
    if (tokens.refreshToken === null && tokens.expiresAt !== null)
      this.#say("warning", connection, "there is no refresh token: consent ends with the access token");
    if (pending.postLoginRedirectUrl !== null) return { kind: "redirect", url: pending.postLoginRedirectUrl };
    return page(200, "Connected", `${connection.id} is connected. This window can be closed.`);
  }

  #say(level: string, { id }: Connection, error: string | null): void {
    const msg =
      level === "info" ? "a connection was given consent" : "consent for a connection is incomplete";
    this.#world.log({ level, msg, credential: id, ...(error === null ? {} : { error }) });
  }

  /** @returns the state */
  #remember(pending: Pending): string {
    if (this.#pending.size >= MOST_PENDING) this.#pending.delete(this.#pending.keys().next().value!);
    const nonce = randomBytes(16).toString("base64url");
    this.#pending.set(nonce, pending);
    return `${nonce}.${this.#sign(nonce)}`;
  }

  #take(state: string): Pending | null {
    const [nonce = "", mac = "", ...more] = state.split(".");
    const right = Buffer.from(this.#sign(nonce));
    const given = Buffer.from(mac);
    if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return null;
    const pending = this.#pending.get(nonce) ?? null;
    this.#pending.delete(nonce);
    return pending !== null && this.#world.clock.now() < pending.expiresAt ? pending : null;
  }

  #sign(nonce: string): string {
    return createHmac("sha256", this.#key).update(nonce).digest("base64url");
  }
}

function page(status: number, title: string, text: string): Landing {
  return { kind: "page", status, title, text };
}

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:");
}
