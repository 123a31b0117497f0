/** What outlives requests and configurations: one directory and one memory for each process. */
import type { Value } from "../compiler/policy.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Services } from "../gateway/services.ts";
import { OpenIdDirectory, type OpenIdSource } from "./openid.ts";
import { VerifiedTokens } from "./verified.ts";

export interface TokenServices {
  readonly directory: OpenIdDirectory;
  readonly verified: VerifiedTokens;
}

const known = new WeakMap<Services, TokenServices>();

export function tokenServices(services: Services): TokenServices {
  let found = known.get(services);
  if (found === undefined)
    known.set(
      services,
      (found = { directory: new OpenIdDirectory(services), verified: new VerifiedTokens() }),
    );
  return found;
}

/** The sources behind URLs; found once when they do not depend on the request. */
export function sourcesOf(urls: readonly Value<string>[]): (exchange: Exchange) => readonly OpenIdSource[] {
  if (urls.length === 0) return () => NONE;
  const find = (exchange: Exchange): readonly OpenIdSource[] => {
    const { directory } = tokenServices(exchange.services);
    return urls.map((url) => directory.source(url(exchange.context)));
  };
  if (urls.some((url) => !url.isConstant)) return find;
  const fixed = new WeakMap<Services, readonly OpenIdSource[]>();
  return (exchange) => {
    let sources = fixed.get(exchange.services);
    if (sources === undefined) fixed.set(exchange.services, (sources = find(exchange)));
    return sources;
  };
}

const NONE: readonly OpenIdSource[] = [];
