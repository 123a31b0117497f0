/**
 * `identity-type="jwt"`: whether the bearer of a Microsoft Entra token may use a connection (`ai-backends-auth.md` §9.2). The
 * token has to be for the credential manager and of a tenant that an access policy of the connection names; signature, times and
 * issuer are checked with that tenant's keys before the ids in it count for anything.
 */
import type { Value } from "../../compiler/policy.ts";
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { type Jwt, parseJwt } from "../../compiler/runtime/library/credentials.ts";
import type { AccessPolicy, Connection } from "../../gateway/connections.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { maxStaleMs } from "../../tokens/duration.ts";
import { configurationUrl, entraIssuers } from "../../tokens/entra.ts";
import { TokenFailure } from "../../tokens/failure.ts";
import { sourcesOf } from "../../tokens/services.ts";
import { decryptionShelf, signingShelf } from "../../tokens/shelf.ts";
import { type TokenRules, validateToken } from "../../tokens/validate.ts";

/** With and without final slash: both are seen. */
const AUDIENCES = new Set([
  "https://azure-api.net/authorization-manager",
  "https://azure-api.net/authorization-manager/",
]);
const NONE: ReadonlySet<string> = new Set();
/** Tenants are named by the configuration, which may change any number of times. */
const MOST_RULES = 1000;

const known = new Map<string, TokenRules>();

/** @throws TokenFailure, at once or in the promise */
export function checkCaller(
  exchange: Exchange,
  { id, access }: Connection,
  given: string,
): void | Promise<void> {
  const token = given.replace(/^\s*bearer\s+/i, "").trim();
  if (token === "") throw new TokenFailure("TokenNotPresent", "identity is empty: it takes a token.");
  beginEvaluation();
  const claimed = single(parseJwt(token), "tid");
  const policies = access.policies.filter(({ tenantId }) => tenantId !== "" && tenantId === claimed);
  if (claimed === null || policies.length === 0)
    throw refused(`no access policy of ${id} names the tenant of the token`);
  const admit = (jwt: Jwt): void => {
    if (!policies.some((policy) => admits(policy, jwt)))
      throw refused(`no access policy of ${id} names the one whom the token is about`);
  };
  const checked = validateToken(exchange, token, rulesFor(exchange.services.connections.entra, claimed));
  if (checked instanceof Promise) return checked.then(admit);
  admit(checked);
}

/** A person or principal by its object id, or a group that the token says it is in. */
function admits({ objectId, appIds }: AccessPolicy, jwt: Jwt): boolean {
  if (objectId === "") return false;
  const app = single(jwt, jwt.claims.has("azp") ? "azp" : "appid");
  if (appIds.size > 0 && (app === null || !appIds.has(app))) return false;
  if (single(jwt, "oid") === objectId) return true;
  return jwt.claims.get("groups")?.some((group) => group.toLowerCase() === objectId) ?? false;
}

function single(jwt: Jwt | null, name: string): string | null {
  const values = jwt?.claims.get(name) ?? [];
  return values.length === 1 ? values[0]!.toLowerCase() : null;
}

function rulesFor(entra: string, tenant: string): TokenRules {
  const key = `${entra} ${tenant}`;
  let rules = known.get(key);
  if (rules !== undefined) return rules;
  const name = always(tenant);
  rules = {
    requireExpiration: always(true),
    requireSigned: always(true),
    clockSkew: () => 0,
    signingKeys: signingShelf([]),
    decryptionKeys: decryptionShelf([]),
    openId: sourcesOf([always(configurationUrl(entra, tenant))]),
    maxStaleMs: maxStaleMs(undefined),
    issuers: () => NONE,
    audiences: () => AUDIENCES,
    issuersOf: entraIssuers(name),
    checkClaims: (jwt) => {
      if (single(jwt, "tid") !== tenant) throw refused("the token is of another tenant");
    },
  };
  if (known.size >= MOST_RULES) known.clear();
  known.set(key, rules);
  return rules;
}

function refused(why: string): TokenFailure {
  return new TokenFailure("TokenClaimValueNotAllowed", `Access to the connection is refused: ${why}.`);
}

function always<T>(value: T): Value<T> {
  return Object.assign(() => value, { constant: value, isConstant: true, needs: 0 });
}
