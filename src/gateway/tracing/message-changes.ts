/** What a step changed in request and response, found by comparing their heads before and after. */
import type { Exchange } from "../exchange.ts";
import type { RequestMessage, ResponseMessage } from "../message.ts";

/** Null: it was, or is, not there. */
export interface Change {
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Both heads at one moment. */
interface Heads {
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: readonly string[];
  readonly requestBody: unknown;
  readonly response: ResponseMessage | null;
  readonly status: string;
  readonly responseHeaders: readonly string[];
  readonly responseBody: unknown;
}

const NO_HEADERS: readonly string[] = [];

/** Remembers the heads and tells what came since. */
export class MessageChanges {
  #known: Heads;

  constructor(exchange: Exchange) {
    this.#known = headsOf(exchange);
  }

  /** What changed since the last call. */
  take(exchange: Exchange): Change[] {
    const before = this.#known;
    const after = headsOf(exchange);
    this.#known = after;
    const changes: Change[] = [];
    add(changes, "request.method", before.method, after.method);
    add(changes, "request.url", before.url, after.url);
    addHeaders(changes, "request", before.requestHeaders, after.requestHeaders);
    if (before.requestBody !== after.requestBody)
      changes.push({ what: "request.body", before: "one body", after: "another" });
    add(
      changes,
      "response.status",
      before.response === null ? null : before.status,
      after.response === null ? null : after.status,
    );
    // A whole new response is told by its status; its headers are in its own entry or in the final head.
    if (before.response !== after.response) return changes;
    addHeaders(changes, "response", before.responseHeaders, after.responseHeaders);
    if (before.responseBody !== after.responseBody)
      changes.push({ what: "response.body", before: "one body", after: "another" });
    return changes;
  }
}

function headsOf({ request, response }: Exchange): Heads {
  return {
    method: request.method,
    url: urlText(request),
    requestHeaders: request.headers.raw.slice(),
    requestBody: request.body,
    response,
    status: response === null ? "" : `${response.statusCode} ${response.statusReason}`.trim(),
    responseHeaders: response === null ? NO_HEADERS : response.headers.raw.slice(),
    responseBody: response?.body,
  };
}

/** The URL as it would go to the backend now. */
export function urlText(request: RequestMessage): string {
  const { scheme, host, port, path, queryString } = request.url;
  const standard = port === (scheme === "https" ? 443 : 80);
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}${standard ? "" : `:${port}`}${path}${queryString}`;
}

function add(changes: Change[], what: string, before: string | null, after: string | null): void {
  if (before !== after) changes.push({ what, before, after });
}

function addHeaders(
  changes: Change[],
  message: string,
  before: readonly string[],
  after: readonly string[],
): void {
  if (same(before, after)) return;
  const old = byName(before);
  const now = byName(after);
  for (const [name, { shown, values }] of now) {
    add(changes, `${message}.headers.${shown}`, old.get(name)?.values ?? null, values);
  }
  for (const [name, { shown, values }] of old) {
    if (!now.has(name)) changes.push({ what: `${message}.headers.${shown}`, before: values, after: null });
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function byName(raw: readonly string[]): Map<string, { shown: string; values: string }> {
  const found = new Map<string, { shown: string; values: string }>();
  for (let i = 0; i < raw.length; i += 2) {
    const lower = raw[i]!.toLowerCase();
    const known = found.get(lower);
    if (known === undefined) found.set(lower, { shown: raw[i]!, values: raw[i + 1]! });
    else known.values += `, ${raw[i + 1]!}`;
  }
  return found;
}
