/** Where a Redis or Valkey is and how to speak to it. Holds a secret. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  readonly tls: boolean;
  /** The name that the certificate must have. */
  readonly tlsHost: string;
  readonly database: number;
  readonly connectTimeoutMs: number;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 2000;

/**
 * Reads the form of StackExchange.Redis, `host:port,password=…,ssl=True,abortConnect=False`, or a `redis://`,
 * `rediss://` URL. Of several hosts the first is taken; options that say nothing here are ignored.
 *
 * @returns the address, or a sentence saying what is wrong that shows nothing of the text, which holds a password
 */
export function parseRedisAddress(text: string): RedisAddress | string {
  return /^rediss?:\/\//i.test(text.trim()) ? fromUrl(text.trim()) : fromStackExchange(text);
}

function fromStackExchange(text: string): RedisAddress | string {
  const options = new Map<string, string>();
  let endpoint: string | null = null;
  for (const item of text.split(",").map((part) => part.trim())) {
    if (item === "") continue;
    const equals = item.indexOf("=");
    if (equals < 0) endpoint ??= item;
    // A password may hold equals signs of its own: Base64 ends with them.
    else options.set(item.slice(0, equals).trim().toLowerCase(), item.slice(equals + 1).trim());
  }
  if (endpoint === null) return "it names no host";
  const tls = isTrue(options.get("ssl"));
  const place = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/@]+))(?::(\d{1,5}))?$/i.exec(endpoint);
  if (place === null) return "its first item is not host:port";
  const host = place[1] ?? place[2]!;
  const port = place[3] === undefined ? (tls ? 6380 : 6379) : Number(place[3]);
  const database = numberOf(options.get("defaultdatabase"), 0);
  if (port < 1 || port > 65_535) return "its port is not from 1 to 65535";
  if (database === null) return "defaultDatabase is not a number";
  const connectTimeoutMs = numberOf(options.get("connecttimeout"), DEFAULT_CONNECT_TIMEOUT_MS);
  if (connectTimeoutMs === null) return "connectTimeout is not a number of milliseconds";
  return {
    host,
    port,
    user: options.get("user") ?? null,
    password: options.get("password") ?? null,
    tls,
    tlsHost: options.get("sslhost") ?? host,
    database,
    connectTimeoutMs: Math.max(100, connectTimeoutMs),
  };
}

function fromUrl(text: string): RedisAddress | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "it is not a URL";
  }
  const database = url.pathname === "" || url.pathname === "/" ? 0 : numberOf(url.pathname.slice(1), 0);
  if (database === null) return "its path is not a database number";
  if (url.hostname === "") return "it names no host";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: url.port === "" ? 6379 : Number(url.port),
    user: url.username === "" ? null : decoded(url.username),
    password: url.password === "" ? null : decoded(url.password),
    tls: url.protocol === "rediss:",
    tlsHost: host,
    database,
    connectTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === "true";

function numberOf(text: string | undefined, otherwise: number): number | null {
  if (text === undefined || text === "") return otherwise;
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
