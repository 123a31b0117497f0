/** Compact serialisation (RFC 7515 §3.1, RFC 7516 §3.1): the shape of a token, before anything in it is believed. */
import type { JsonObject } from "../base/json-object.ts";
import { invalid } from "./failure.ts";
import { readBase64Url, readJsonObject } from "./strict-text.ts";

/** Longer ones never come in a header; an expression could still make them. UTF-16 units. */
const LONGEST = 64 * 1024;

export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | null;
}

/** A JWS, not yet verified. */
export interface SignedToken {
  readonly header: TokenHeader;
  readonly claims: Claims;
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

/** The claims with a meaning here, and of the right type; the others are read from `Jwt.claims`. */
export interface Claims {
  readonly issuer: string | null;
  /** Seconds since the epoch. */
  readonly expires: number | null;
  readonly notBefore: number | null;
  readonly audiences: readonly string[];
  readonly tenant: string | null;
}

export type TokenForm = "signed" | "encrypted";

/** @throws TokenFailure */
export function formOf(token: string): TokenForm {
  if (token.length > LONGEST) throw invalid("The token is too long.");
  let dots = 0;
  for (let at = token.indexOf("."); at >= 0; at = token.indexOf(".", at + 1)) dots++;
  if (dots === 2) return "signed";
  if (dots === 4) return "encrypted";
  throw invalid("The token does not have the three parts of a signed or the five of an encrypted JWT.");
}

/** @throws TokenFailure */
export function readSigned(token: string): SignedToken {
  const [head = "", payload = "", tail = ""] = token.split(".");
  const header = readHeader(head);
  const claims = readClaims(objectOf(payload, "payload"));
  const signature = readBase64Url(tail);
  if (signature === null) throw invalid("The signature is not base64url.");
  return {
    header,
    claims,
    signingInput: Buffer.from(token.slice(0, head.length + 1 + payload.length), "latin1"),
    signature,
  };
}

/**
 * Algorithm and key id of the first part. `jku`, `jwk`, `x5u` and `x5c` name keys that the sender chose; nobody looks.
 *
 * @throws TokenFailure
 */
export function readHeader(part: string): TokenHeader & { readonly raw: JsonObject } {
  const raw = objectOf(part, "header");
  const { alg, kid, typ } = raw;
  if (typeof alg !== "string" || alg === "") throw invalid("The header has no alg.");
  if (kid !== undefined && typeof kid !== "string") throw invalid("The kid in the header is not a string.");
  if (typ !== undefined && typeof typ !== "string") throw invalid("The typ in the header is not a string.");
  // RFC 7515 §4.1.11: what is critical and not understood refuses the token, and no extension is understood here.
  if ("crit" in raw) throw invalid("The header lists critical extensions, and none is supported.");
  if (raw["b64"] !== undefined && raw["b64"] !== true)
    throw invalid("Payloads that are not base64url are not supported.");
  return { alg, kid: kid ?? null, raw };
}

function objectOf(part: string, what: string): JsonObject {
  const bytes = readBase64Url(part);
  if (bytes === null) throw invalid(`The ${what} is not base64url.`);
  const object = readJsonObject(bytes);
  if (object === null) throw invalid(`The ${what} is not a JSON object with distinct names.`);
  return object;
}

/** RFC 7519 §4.1, with its types. @throws TokenFailure */
export function readClaims(payload: JsonObject): Claims {
  text(payload, "sub");
  text(payload, "jti");
  time(payload, "iat");
  const { aud } = payload;
  const audiences = aud === undefined ? [] : Array.isArray(aud) ? (aud as unknown[]) : [aud];
  if (!audiences.every((one) => typeof one === "string"))
    throw invalid("The claim aud is neither a string nor a list of strings.");
  const { tid } = payload;
  return {
    issuer: text(payload, "iss"),
    expires: time(payload, "exp"),
    notBefore: time(payload, "nbf"),
    audiences,
    tenant: typeof tid === "string" ? tid : null,
  };
}

function text(payload: JsonObject, name: string): string | null {
  const value = payload[name];
  if (value === undefined) return null;
  if (typeof value !== "string") throw invalid(`The claim ${name} is not a string.`);
  return value;
}

/** The end of the year 9999, which .NET and most others cannot pass. */
const LATEST = 253_402_300_799;

/** A NumericDate: any JSON number, a fraction included, of a time that there is. */
function time(payload: JsonObject, name: string): number | null {
  const value = payload[name];
  if (value === undefined) return null;
  if (typeof value !== "number" || !(Math.abs(value) <= LATEST))
    throw invalid(`The claim ${name} is not a time in seconds.`);
  return value;
}
