/**
 * AWS Signature Version 4 in headers ("Create a signed AWS API request", IAM User Guide). What is signed is what goes out:
 * the path as it stands on the wire, escaped once more (`%3A` is signed as `%253A`), which Bedrock's model ids need.
 */
import { createHash, createHmac } from "node:crypto";
import { sameName } from "../../base/headers.ts";
import type { AwsKeys } from "../../gateway/identity.ts";

export interface Signing {
  readonly keys: AwsKeys;
  readonly region: string;
  readonly service: string;
  /** Ms since the epoch. */
  readonly nowMs: number;
}

export interface Signable {
  readonly method: string;
  /** Path and query as they will be sent. */
  readonly target: string;
  /** Flat, with Host. Changed in place. */
  readonly rawHeaders: string[];
  readonly body: Uint8Array | null;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
/** Ours to say; SDKs of callers send some with empty credentials. */
const OURS = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
const NOTHING = hash("");

/** Adds `X-Amz-Date`, `X-Amz-Content-Sha256`, `X-Amz-Security-Token` and `Authorization`, in place of what is there. */
export function signRequest(
  { method, target, rawHeaders, body }: Signable,
  { keys, region, service, nowMs }: Signing,
): void {
  const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const payload = body === null || body.length === 0 ? NOTHING : hash(body);
  drop(rawHeaders, OURS);
  rawHeaders.push("X-Amz-Date", date, "X-Amz-Content-Sha256", payload);
  if (keys.sessionToken !== null) rawHeaders.push("X-Amz-Security-Token", keys.sessionToken);

  const at = target.indexOf("?");
  const path = canonicalPath(at < 0 ? target : target.slice(0, at), service);
  const query = at < 0 ? "" : canonicalQuery(target.slice(at + 1));
  const { signed, lines } = canonicalHeaders(rawHeaders);
  const canonical = `${method}\n${path}\n${query}\n${lines}\n${signed}\n${payload}`;
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signature = hmac(
    signingKey(keys.secretAccessKey, scope),
    `${ALGORITHM}\n${date}\n${scope}\n${hash(canonical)}`,
  ).toString("hex");
  rawHeaders.push(
    "Authorization",
    `${ALGORITHM} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
  );
}

/** S3 takes paths as they are; everywhere else dots and double slashes are resolved and each segment is escaped again. */
function canonicalPath(path: string, service: string): string {
  if (service === "s3") return path;
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(escape(segment));
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(query: string): string {
  const pairs: [string, string][] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    pairs.push(
      at < 0 ? [escapedOnce(part), ""] : [escapedOnce(part.slice(0, at)), escapedOnce(part.slice(at + 1))],
    );
  }
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

/** Host, Content-Type and everything of Amazon's: what nobody on the way changes. */
function canonicalHeaders(rawHeaders: readonly string[]): { signed: string; lines: string } {
  const values = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (name !== "host" && name !== "content-type" && !name.startsWith("x-amz-")) continue;
    const value = rawHeaders[i + 1]!.trim().replace(/\s+/g, " ");
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  const names = [...values.keys()].sort();
  return { signed: names.join(";"), lines: names.map((name) => `${name}:${values.get(name)!}\n`).join("") };
}

/** The key of a day and place serves many requests. */
let lastKey: { readonly secret: string; readonly scope: string; readonly key: Buffer } | null = null;

function signingKey(secret: string, scope: string): Buffer {
  if (lastKey !== null && lastKey.scope === scope && lastKey.secret === secret) return lastKey.key;
  let key: Buffer = Buffer.from(`AWS4${secret}`, "utf8");
  for (const part of scope.split("/")) key = hmac(key, part);
  lastKey = { secret, scope, key };
  return key;
}

/** Everything but RFC 3986's unreserved characters, `/` too. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** As `escape`, for what may be escaped already; octet by octet, as they need not be UTF-8. */
function escapedOnce(text: string): string {
  if (!text.includes("%")) return escape(text);
  return text.replace(/%[0-9a-f]{2}|[^%]+|%/gi, (part) =>
    part.length === 3 && part.startsWith("%") ? plainOctet(part) : escape(part),
  );
}

function plainOctet(escaped: string): string {
  const char = String.fromCharCode(parseInt(escaped.slice(1), 16));
  return /[\w.~-]/.test(char) ? char : escaped.toUpperCase();
}

function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function drop(rawHeaders: string[], names: readonly string[]): void {
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (names.some((name) => sameName(name, rawHeaders[i]!))) rawHeaders.splice(i, 2);
  }
}
