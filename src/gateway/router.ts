/**
 * Finds the API (path → version → revision → type) and the operation (method + template) of a request
 * (`routing.md` §2–§3). Nothing here depends on policies; what does not match is the caller's 404.
 */
import type { Step } from "../compiler/policy.ts";
import { identify } from "./admission.ts";
import type { Exchange } from "./exchange.ts";
import type { Api, Operation, Product, Snapshot, VersionSet } from "./snapshot.ts";
import type { PathSegments, QueryParameters } from "./template.ts";
import { decodeOnce, parseQuery } from "./url.ts";

export type Match = Found | NotFound;

export interface Found {
  readonly kind: "operation";
  readonly api: Api;
  readonly operation: Operation;
  /** Decoded values of the template's parameters. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly rawParameters: ReadonlyMap<string, string>;
  /** Path below API, version and revision, as received, with leading `/` or empty. */
  readonly remainder: string;
}

export interface NotFound {
  readonly kind: "none";
  /** The API that has no such operation; null when there is no API either. */
  readonly api: Api | null;
  /** For the preflight's look-up by requested method. */
  readonly path: PathSegments | null;
}

/** Where one API sits in the path. */
interface Placed {
  readonly api: Api;
  /** Segments used up by API path, version and revision marker. */
  readonly used: number;
}

export function route(snapshot: Snapshot, exchange: Exchange): Match {
  const { request, incoming } = exchange;
  const raw = request.path.split("/").slice(1);
  const decoded = raw.map((segment) => decodeOnce(segment) ?? segment);
  const marker = findMarker(decoded);
  const lower = decoded.map((segment, i) => (marker?.index === i ? marker.before : segment).toLowerCase());
  const query = request.query === "" ? NO_QUERY : parseQuery(request.query);
  const webSocket = incoming.upgrade && isWebSocket(exchange);
  let firstApi: Api | null = null;
  let firstPath: PathSegments | null = null;
  for (const group of snapshot.apis.candidates(lower)) {
    const apis = group.apis.some((api) => !takes(api, webSocket))
      ? group.apis.filter((api) => takes(api, webSocket))
      : group.apis;
    // Only of the other kind (a plain request on a WebSocket API, or the reverse): a shorter path may fit.
    if (apis.length === 0) continue;
    const placed = place(apis, group.segments.length, lower, marker, query, exchange);
    if (placed === null) {
      if (snapshot.options.fallThrough) continue;
      break;
    }
    const { api, used } = placed;
    if (!snapshot.options.ignoreProtocol && !speaks(api, exchange, webSocket)) continue;
    const path = below(raw, decoded, used);
    firstApi ??= api;
    firstPath ??= path;
    const found = matchOperation(api, request.method, path, query);
    if (found !== null) return { ...found, api, kind: "operation", remainder: remainderOf(raw, used) };
    if (!snapshot.options.fallThrough) break;
  }
  return { kind: "none", api: firstApi, path: firstPath };
}

const NO_QUERY: QueryParameters = { entries: [] };

/** WebSocket APIs take nothing but upgrades; the others none, save GraphQL (subscriptions). */
function takes(api: Api, webSocket: boolean): boolean {
  return webSocket ? api.type === "websocket" || api.type === "graphql" : api.type !== "websocket";
}

function isWebSocket(exchange: Exchange): boolean {
  return exchange.request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

function speaks(api: Api, exchange: Exchange, webSocket: boolean): boolean {
  const secure = exchange.request.originalUrl.scheme === "https";
  const protocol = webSocket ? (secure ? "wss" : "ws") : secure ? "https" : "http";
  return api.protocols.length === 0 || api.protocols.includes(protocol);
}

/** `;rev=3` at the end of a segment, or a segment of its own for the root API. */
interface Marker {
  readonly index: number;
  readonly revision: string;
  /** The segment without it. */
  readonly before: string;
}

function findMarker(decoded: readonly string[]): Marker | null {
  for (let index = 0; index < decoded.length; index++) {
    const segment = decoded[index]!;
    if (!segment.includes(";")) continue;
    const match = /^(.*);rev=([^;]+)$/i.exec(segment);
    if (match !== null) return { index, revision: match[2]!, before: match[1]! };
  }
  return null;
}

/** Picks version and revision among the APIs of one path; null when none fits. */
function place(
  apis: readonly Api[],
  length: number,
  lower: readonly string[],
  marker: Marker | null,
  query: QueryParameters,
  exchange: Exchange,
): Placed | null {
  const versioned = pickVersion(apis, lower[length], query, exchange);
  if (versioned === null) return null;
  let used = length + (versioned.bySegment ? 1 : 0);
  let revision: string | null = null;
  if (marker !== null) {
    if (marker.index === used - 1) revision = marker.revision;
    else if (marker.index === used && marker.before === "") {
      revision = marker.revision;
      used++;
    }
    // Anywhere else the text belongs to the operation's path; a literal that was compared without it is wrong.
    else if (marker.index < used) return null;
  }
  const api = versioned.apis.find((candidate) =>
    revision === null ? candidate.isCurrentRevision : candidate.revision === revision,
  );
  return api === undefined || !api.isOnline ? null : { api, used };
}

function pickVersion(
  apis: readonly Api[],
  segment: string | undefined,
  query: QueryParameters,
  exchange: Exchange,
): { apis: readonly Api[]; bySegment: boolean } | null {
  let bySegment = false;
  const named = apis.filter((api) => {
    if (api.versionSet === null || api.version === "") return false;
    const asked = askedVersion(api.versionSet, segment, query, exchange);
    if (asked === null || asked.toLowerCase() !== api.version.toLowerCase()) return false;
    bySegment ||= api.versionSet.scheme === "Segment";
    return true;
  });
  if (named.length > 0) return { apis: named, bySegment };
  const original = apis.filter((api) => api.versionSet === null || api.version === "");
  if (original.length === 0) return null;
  // An identifier that names no version is not the same as none: only a path segment may be something else.
  const set = apis.find((api) => api.versionSet !== null)?.versionSet;
  if (set != null && set.scheme !== "Segment" && askedVersion(set, segment, query, exchange) !== null)
    return null;
  return { apis: original, bySegment: false };
}

function askedVersion(
  set: VersionSet,
  segment: string | undefined,
  query: QueryParameters,
  exchange: Exchange,
): string | null {
  switch (set.scheme) {
    case "Segment":
      return segment ?? null;
    case "Header":
      return exchange.request.headers.get(set.parameter)?.trim() || null;
    case "Query": {
      const name = set.parameter.toLowerCase();
      const found = query.entries.find(([key]) => key.toLowerCase() === name);
      return found === undefined || found[1] === "" ? null : (decodeOnce(found[1]) ?? found[1]);
    }
  }
}

function below(raw: readonly string[], decoded: readonly string[], used: number): PathSegments {
  // A trailing slash makes an empty last segment, which no template sees.
  const end = decoded.length > used && decoded.at(-1) === "" ? decoded.length - 1 : decoded.length;
  return { raw: raw.slice(used, end), decoded: decoded.slice(used, end) };
}

function remainderOf(raw: readonly string[], used: number): string {
  return raw.length > used ? `/${raw.slice(used).join("/")}` : "";
}

function matchOperation(
  api: Api,
  method: string,
  path: PathSegments,
  query: QueryParameters,
): {
  operation: Operation;
  parameters: ReadonlyMap<string, string>;
  rawParameters: ReadonlyMap<string, string>;
} | null {
  const first = path.decoded.length === 0 ? "" : path.decoded[0]!.toLowerCase();
  for (const operation of api.operationIndex.candidates(method.toUpperCase(), first)) {
    const matched = operation.matcher.match(path, query);
    if (matched !== null) return { operation, parameters: matched.parameters, rawParameters: matched.raw };
  }
  return null;
}

/**
 * The `cors` steps for a preflight that no OPTIONS operation answers: those of the operation with the requested
 * method, else those of API and global scope. null when it is no preflight or there is no `cors`. A product's document
 * takes part when the product is open, or the key in the query: browsers send no headers of ours.
 */
export function preflightSteps(
  snapshot: Snapshot,
  exchange: Exchange,
  match: NotFound,
): readonly Step[] | null {
  const { request } = exchange;
  if (request.method !== "OPTIONS" || match.api === null || match.path === null) return null;
  const asked = request.headers.get("access-control-request-method");
  if (asked === null || request.headers.get("origin") === null) return null;
  const query = request.query === "" ? NO_QUERY : parseQuery(request.query);
  const found = matchOperation(match.api, asked, match.path, query);
  exchange.api = match.api;
  exchange.operation = found?.operation ?? null;
  identify(snapshot, exchange);
  const steps = found === null ? match.api.cors : corsOf(found.operation, exchange.product);
  return steps.length === 0 ? null : steps;
}

function corsOf(operation: Operation, product: Product | null): readonly Step[] {
  return (product === null ? undefined : operation.productCors.get(product.id)) ?? operation.cors;
}
