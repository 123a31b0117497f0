/**
 * Who is calling: subscription key → subscription, product and user, by the decision table of `routing.md` §4.2.
 * Keys are looked up by a keyed hash (`KeyIndex`), so that time tells nothing about them.
 */
import { subscriptionKeyInvalid, subscriptionKeyMissing } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Api, Product, Snapshot, Subscription } from "./snapshot.ts";
import { decodeOnce, parseQuery } from "./url.ts";

interface GivenKey {
  readonly value: string;
  readonly place: "header" | "query" | "bearer";
}

/**
 * Puts subscription and product into the exchange.
 * @throws GatewayError 401
 */
export function admit(snapshot: Snapshot, exchange: Exchange): void {
  const api = exchange.api!;
  const given = readKey(api, exchange);
  if (recognise(snapshot, exchange, api, given)) {
    removeKey(snapshot, exchange, api, given!);
    return;
  }
  if (api.openProduct !== null || !api.subscriptionRequired) return;
  throw given === null
    ? subscriptionKeyMissing(challenge(exchange, api))
    : subscriptionKeyInvalid(challenge(exchange, api));
}

/** Who calls a path that does not exist, for the record and on-error (`routing.md` §3.7). Nobody is turned away. */
export function identify(snapshot: Snapshot, exchange: Exchange): void {
  const { api } = exchange;
  if (api !== null) recognise(snapshot, exchange, api, readKey(api, exchange));
}

/** Fills in subscription and product, or the open product. @returns whether the key opens the API */
function recognise(snapshot: Snapshot, exchange: Exchange, api: Api, given: GivenKey | null): boolean {
  const subscription = given === null ? null : (snapshot.keys.find(given.value)?.subscription ?? null);
  const scope = subscription === null || !isUsable(subscription) ? null : covers(subscription, api);
  if (scope === null) {
    exchange.product = api.openProduct;
    return false;
  }
  exchange.subscription = withKey(subscription!, given!.value);
  exchange.product = scope.product;
  return true;
}

/** Header first, the query only when the header is absent, a bearer token last and only where the API allows it. */
function readKey(api: Api, exchange: Exchange): GivenKey | null {
  const { request } = exchange;
  const names = api.subscriptionKeyParameterNames;
  const header = request.headers.get(names.header);
  if (header !== null && header !== "") return { value: header, place: "header" };
  if (request.query !== "" && names.query !== "") {
    const wanted = names.query.toLowerCase();
    const pair = parseQuery(request.query).entries.find(([name]) => name.toLowerCase() === wanted);
    if (pair !== undefined && pair[1] !== "")
      return { value: decodeOnce(pair[1]) ?? pair[1], place: "query" };
  }
  if (!api.bearerKey) return null;
  const bearer = /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "");
  return bearer === null ? null : { value: bearer[1]!, place: "bearer" };
}

function isUsable(subscription: Subscription): boolean {
  return subscription.state === "active" && subscription.user?.blocked !== true;
}

/** Whether the key opens this API, and with which product in context; null when it does not. */
function covers(subscription: Subscription, api: Api): { product: Product | null } | null {
  const { scope } = subscription;
  switch (scope.kind) {
    case "all":
      return isWithin(api, scope.workspace ?? null) ? { product: null } : null;
    case "api":
      return scope.apiId === api.rootId ? { product: null } : null;
    case "product":
      return scope.product.apiIds.has(api.rootId) ? { product: scope.product } : null;
  }
}

function isWithin(api: Api, workspace: string | null): boolean {
  return workspace === null || (api.workspace !== null && api.workspace.id.toLowerCase() === workspace);
}

/** One object per subscription and key, made when first used. */
const keyed = new WeakMap<Subscription, Map<string, Subscription & { readonly key: string }>>();

function withKey(subscription: Subscription, key: string): Subscription & { readonly key: string } {
  let forms = keyed.get(subscription);
  if (forms === undefined) keyed.set(subscription, (forms = new Map()));
  let form = forms.get(key);
  if (form === undefined) forms.set(key, (form = { ...subscription, key }));
  return form;
}

/**
 * A bearer token that was the gateway's key is not the backend's business. Keys in header and query are passed on,
 * as documented, unless `security.stripSubscriptionKey` says otherwise.
 */
function removeKey(snapshot: Snapshot, exchange: Exchange, api: Api, given: GivenKey): void {
  const { request } = exchange;
  if (given.place === "bearer") request.headers.delete("authorization");
  if (snapshot.options.stripSubscriptionKey !== "knownKeys") return;
  const names = api.subscriptionKeyParameterNames;
  if (given.place === "header") request.headers.delete(names.header);
  if (given.place === "query") {
    const kept = request.query.split("&").filter((pair) => {
      const name = pair.split("=", 1)[0]!;
      return (decodeOnce(name) ?? name).toLowerCase() !== names.query.toLowerCase();
    });
    request.setQuery(kept.join("&"));
  }
}

/** The `WWW-Authenticate` value of both 401s (`routing.md` §4.3). */
function challenge(exchange: Exchange, api: Api): string {
  const host = exchange.request.headers.get("host") ?? "";
  const path = api.path.replace(/^\/+/, "").replace(/\/+$/, "");
  return `AzureApiManagementKey realm="https://${host}/${path}",name="${api.subscriptionKeyParameterNames.header}",type="header"`;
}
