/**
 * Whether a token may be believed (`policies.md` §18.1), in the order of its table: parse, decrypt, keys, signature, times,
 * issuer, audience, claims. Without anything to fetch or decrypt it is one synchronous call, and for a token that was seen
 * before it comes down to a hash and the comparisons.
 */
import type { Value } from "../compiler/policy.ts";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { BudgetError } from "../compiler/runtime/errors.ts";
import type { HostContext } from "../compiler/runtime/host.ts";
import { type Jwt, parseJwt } from "../compiler/runtime/library/credentials.ts";
import type { Exchange } from "../gateway/exchange.ts";
import { type Claims, type SignedToken, formOf, readClaims, readSigned } from "./compact.ts";
import { type DecryptionKey, decryptToken } from "./decrypt.ts";
import { TokenFailure, invalid } from "./failure.ts";
import type { VerificationKey } from "./keys.ts";
import type { OpenIdSource } from "./openid.ts";
import { tokenServices } from "./services.ts";
import type { Shelf } from "./shelf.ts";
import { SIGNATURE_ALGORITHMS, verifies } from "./signature.ts";
import { readJsonObject } from "./strict-text.ts";
import { type VerifiedToken, verifiedKey } from "./verified.ts";

/** What a policy asks of a token, ready for any request. */
export interface TokenRules {
  readonly requireExpiration: Value<boolean>;
  readonly requireSigned: Value<boolean>;
  /** Seconds. */
  readonly clockSkew: (context: HostContext) => number;
  readonly signingKeys: (exchange: Exchange) => Shelf<VerificationKey>;
  readonly decryptionKeys: (exchange: Exchange) => Shelf<DecryptionKey>;
  readonly openId: (exchange: Exchange) => readonly OpenIdSource[];
  /** Ms after which fetched keys are not used any more. */
  readonly maxStaleMs: number;
  /** Besides those of the OpenID configurations. */
  readonly issuers: (context: HostContext) => ReadonlySet<string>;
  /** null: not checked. */
  readonly audiences: ((context: HostContext) => ReadonlySet<string>) | null;
  /** Issuers that a configuration stands for; default its own. */
  readonly issuersOf: (source: OpenIdSource, claims: Claims, context: HostContext) => readonly string[];
  /** Throws a TokenFailure when a claim is not as wanted. */
  readonly checkClaims: (jwt: Jwt, context: HostContext) => void;
}

/** @throws TokenFailure, at once or in the promise */
export function validateToken(exchange: Exchange, token: string, rules: TokenRules): Jwt | Promise<Jwt> {
  const sources = rules.openId(exchange);
  let waiting: Promise<unknown> | undefined;
  for (const source of sources) {
    const fetching = source.prepare(exchange.snapshot.options.egress, rules.maxStaleMs);
    if (fetching !== undefined) waiting = waiting === undefined ? fetching : Promise.all([waiting, fetching]);
  }
  const attempt = new Attempt(exchange, token, rules, sources);
  return waiting === undefined ? attempt.run() : waiting.then(() => attempt.run());
}

/** One token, one request. */
class Attempt {
  readonly #exchange: Exchange;
  readonly #token: string;
  readonly #rules: TokenRules;
  readonly #sources: readonly OpenIdSource[];

  constructor(exchange: Exchange, token: string, rules: TokenRules, sources: readonly OpenIdSource[]) {
    this.#exchange = exchange;
    this.#token = token;
    this.#rules = rules;
    this.#sources = sources;
  }

  run(): Jwt | Promise<Jwt> {
    const shelf = this.#rules.signingKeys(this.#exchange);
    const decryption = this.#rules.decryptionKeys(this.#exchange);
    const { verified } = tokenServices(this.#exchange.services);
    const key =
      shelf.name === null || decryption.name === null ? null : this.#key(shelf.name, decryption.name);
    const known = key === null ? null : verified.get(key);
    if (known !== null && this.#stillGood(known)) {
      try {
        return this.#check(known);
      } catch (error) {
        // Expired, most likely: it need not be remembered.
        verified.delete(key!);
        throw error;
      }
    }
    const remember = (token: VerifiedToken): Jwt => {
      const jwt = this.#check(token);
      if (key !== null) verified.set(key, token);
      return jwt;
    };
    const found = this.#verify(shelf.keys, decryption.keys);
    return found instanceof Promise ? found.then(remember) : remember(found);
  }

  #key(signing: string, decryption: string): string {
    const { context } = this.#exchange;
    let shelf = `${signing} ${decryption} ${this.#rules.requireSigned(context) ? "s" : "u"}`;
    for (const { url } of this.#sources) shelf += ` ${url}`;
    return verifiedKey(this.#token, shelf);
  }

  /** The key that its signature was checked with is among those of today. */
  #stillGood({ source, generation }: VerifiedToken): boolean {
    return source === null || (source.generation === generation && source.isUsable(this.#rules.maxStaleMs));
  }

  // ── Signature ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #verify(
    signing: readonly VerificationKey[],
    decryption: readonly DecryptionKey[],
  ): VerifiedToken | Promise<VerifiedToken> {
    if (formOf(this.#token) === "signed") return this.#verifySigned(this.#token, signing);
    return decryptToken(this.#token, decryption).then((inner) => this.#verifyInner(inner, signing));
  }

  #verifyInner(inner: Buffer, signing: readonly VerificationKey[]): VerifiedToken | Promise<VerifiedToken> {
    if (inner[0] !== 0x7b /* { */) {
      const token = inner.toString("latin1");
      if (formOf(token) !== "signed") throw invalid("The encrypted token holds another encrypted token.");
      return this.#verifySigned(token, signing);
    }
    this.#needsNoSignature();
    const payload = readJsonObject(inner);
    if (payload === null) throw invalid("The decrypted payload is not a JSON object with distinct names.");
    const text = `${UNSIGNED}.${inner.toString("base64url")}.`;
    return { jwt: jwtOf(text), claims: readClaims(payload), source: null, generation: 0 };
  }

  #needsNoSignature(): void {
    if (this.#rules.requireSigned(this.#exchange.context)) {
      throw new TokenFailure(
        "TokenSignatureInvalid",
        "Signature validation failed. The token is not signed. Access denied.",
      );
    }
  }

  #verifySigned(text: string, signing: readonly VerificationKey[]): VerifiedToken | Promise<VerifiedToken> {
    const token = readSigned(text);
    if (token.header.alg === "none") {
      this.#needsNoSignature();
      if (token.signature.length > 0) throw invalid("The algorithm is none, and there is a signature.");
      return { jwt: jwtOf(text), claims: token.claims, source: null, generation: 0 };
    }
    const found = this.#tryKeys(text, token, signing);
    if (!(found instanceof TokenFailure)) return found;
    // A key that is not known may be a new one.
    const waits = this.#mayBeNewKey(token, found) ? this.#refetch() : [];
    if (waits.length === 0) throw found;
    return Promise.all(waits).then(() => {
      const again = this.#tryKeys(text, token, signing);
      if (again instanceof TokenFailure) throw again;
      return again;
    });
  }

  #mayBeNewKey({ header }: SignedToken, failure: TokenFailure): boolean {
    return (
      SIGNATURE_ALGORITHMS.has(header.alg) &&
      (failure.reason === "TokenSignatureKeyNotFound" || header.kid === null)
    );
  }

  #refetch(): Promise<void>[] {
    const { egress } = this.#exchange.snapshot.options;
    return this.#sources.map((source) => source.refetch(egress)).filter((waiting) => waiting !== undefined);
  }

  /** Keys of the token's own issuer come first, so that one key in two sets counts for the right one. */
  #tryKeys(
    text: string,
    token: SignedToken,
    signing: readonly VerificationKey[],
  ): VerifiedToken | TokenFailure {
    const usable = this.#sources.filter((source) => source.isUsable(this.#rules.maxStaleMs));
    const own = usable.filter((source) => this.#isIssuer(source, token.claims));
    const others = usable.filter((source) => !own.includes(source));
    let tried = 0;
    const isGood = (keys: readonly VerificationKey[]): boolean =>
      keys.some(({ id, key, algorithms }) => {
        const { alg, kid } = token.header;
        if (!algorithms.has(alg) || (id !== null && kid !== null && id !== kid)) return false;
        tried++;
        return verifies(alg, token.signingInput, token.signature, key);
      });
    const done = (source: OpenIdSource | null): VerifiedToken => ({
      jwt: jwtOf(text),
      claims: token.claims,
      source,
      generation: source?.generation ?? 0,
    });
    for (const source of own) if (isGood(source.keys)) return done(source);
    if (isGood(signing)) return done(null);
    for (const source of others) if (isGood(source.keys)) return done(source);
    return tried === 0 ? this.#noKey(token, usable.length) : badSignature(tried);
  }

  #noKey({ header }: SignedToken, usable: number): TokenFailure {
    const { alg, kid } = header;
    if (!SIGNATURE_ALGORITHMS.has(alg)) {
      return new TokenFailure(
        "TokenSignatureInvalid",
        `Signature validation failed. The algorithm ${shown(alg)} is not supported. Access denied.`,
      );
    }
    const missing = this.#sources.length - usable;
    const why =
      missing === 0 ? "" : ` ${missing} of ${this.#sources.length} OpenID configurations could not be read.`;
    const which = kid === null ? "" : ` with kid ${shown(kid)}`;
    return new TokenFailure(
      "TokenSignatureKeyNotFound",
      `Signature validation failed. There is no ${shown(alg)} key${which}.${why} Access denied.`,
    );
  }

  // ── Claims ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #check(token: VerifiedToken): Jwt {
    const { jwt, claims } = token;
    const { context } = this.#exchange;
    this.#checkTimes(claims, context);
    this.#checkIssuer(token, context);
    const audiences = this.#rules.audiences?.(context);
    if (audiences !== undefined && !claims.audiences.some((one) => audiences.has(one))) {
      throw new TokenFailure(
        "TokenAudienceNotAllowed",
        `Audience validation failed. The audience ${shown(claims.audiences.join(", "))} is not allowed. Access denied.`,
      );
    }
    this.#rules.checkClaims(jwt, context);
    return jwt;
  }

  #checkTimes({ expires, notBefore }: Claims, context: HostContext): void {
    const now = this.#exchange.services.clock.now() / 1000;
    const skew = this.#rules.clockSkew(context);
    if (expires === null) {
      if (this.#rules.requireExpiration(context))
        throw invalid("Lifetime validation failed. The token has no expiration time. Access denied.");
    } else if (now >= expires + skew) {
      const detail = `ValidTo (UTC): ${timeText(expires)}, current time (UTC): ${timeText(now)}.`;
      throw new TokenFailure(
        "TokenExpired",
        `Lifetime validation failed. The token is expired. ${detail} Access denied.`,
      );
    }
    if (notBefore !== null && notBefore > now + skew) {
      const detail = `ValidFrom (UTC): ${timeText(notBefore)}, current time (UTC): ${timeText(now)}.`;
      throw invalid(`Lifetime validation failed. The token is not yet valid. ${detail} Access denied.`);
    }
  }

  /** A key of one configuration does not speak for the issuer of another (RFC 8725 §3.8), unless the policy says so. */
  #checkIssuer({ claims, source }: VerifiedToken, context: HostContext): void {
    const listed = this.#rules.issuers(context);
    if (listed.size === 0 && this.#sources.length === 0) return;
    const { issuer } = claims;
    if (issuer !== null && listed.has(issuer)) return;
    const speakers = source === null ? this.#sources : [source];
    if (speakers.some((one) => this.#isIssuer(one, claims))) return;
    throw new TokenFailure(
      "TokenIssuerNotAllowed",
      `Issuer validation failed. The issuer ${shown(issuer ?? "")} is not allowed. Access denied.`,
    );
  }

  #isIssuer(source: OpenIdSource, claims: Claims): boolean {
    const { issuer } = claims;
    if (issuer === null || issuer === "" || !source.isUsable(this.#rules.maxStaleMs)) return false;
    return this.#rules.issuersOf(source, claims, this.#exchange.context).includes(issuer);
  }
}

const UNSIGNED = Buffer.from('{"alg":"none"}').toString("base64url");

function badSignature(tried: number): TokenFailure {
  return new TokenFailure(
    "TokenSignatureInvalid",
    `Signature validation failed. Keys tried: ${tried}. Access denied.`,
  );
}

/** What expressions get; it was found well-formed before. */
function jwtOf(text: string): Jwt {
  beginEvaluation();
  let jwt: Jwt | null;
  try {
    jwt = parseJwt(text);
  } catch (error) {
    if (error instanceof BudgetError) throw invalid("The token takes too long to read.", error);
    throw error;
  }
  if (jwt === null) throw invalid("The token cannot be read.");
  return jwt;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An issuer as a configuration writes it: `{tenantid}`, in Entra's for many tenants, is the token's own tenant. */
export function fillTenant(issuer: string, tenant: string | null): string | null {
  if (!issuer.includes("{tenantid}")) return issuer;
  return tenant !== null && GUID.test(tenant) ? issuer.replaceAll("{tenantid}", tenant) : null;
}

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

/** Callers' text in a message: quoted, and not too much of it. */
function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
