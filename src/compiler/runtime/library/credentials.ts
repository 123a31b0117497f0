/** Tokens and credentials that expressions read from text (`expressions.md` §4.5). No signature is checked here. */
import { spend } from "../budget.ts";
import { defineType } from "../define.ts";
import { BudgetError } from "../errors.ts";
import { type Type, arrayOf } from "../type.ts";
import { Box, type NetArray, type NetObject, type OutCell, TYPE, typeNamed } from "../values.ts";
import { MapView, texts } from "./context-views.ts";
import type { Raw } from "./json/raw.ts";
import { readJson } from "./json/reader.ts";
import { scalarJson, writeRaw, JsonText } from "./json/writer.ts";
import { STRING } from "./json/kinds.ts";
import { dateTime } from "./json/scalars.ts";

/** A decoded JSON web token. Every claim is a list of texts. */
export class Jwt implements NetObject {
  /** The three parts as they came, for whoever checks the signature. */
  readonly text: string;
  readonly header: ReadonlyMap<string, string[]>;
  readonly claims: ReadonlyMap<string, string[]>;
  readonly #view: MapView;

  constructor(text: string, header: ReadonlyMap<string, string[]>, claims: ReadonlyMap<string, string[]>) {
    this.text = text;
    this.header = header;
    this.claims = claims;
    const arrays = new Map<string, NetArray>();
    for (const [name, values] of claims) arrays.set(name, texts(values));
    this.#view = new MapView(arrays, arrayOf(typeNamed("System.String")));
  }

  get [TYPE](): Type {
    return typeNamed("Gateway.Jwt");
  }

  get view(): MapView {
    return this.#view;
  }

  first(name: string): string | null {
    return this.claims.get(name)?.[0] ?? null;
  }

  /** A NumericDate claim as UTC `DateTime`, or null. */
  time(name: string): unknown {
    const seconds = Number(this.first(name) ?? "");
    if (this.first(name) === null || !Number.isFinite(seconds) || Math.abs(seconds) > 253_402_300_799)
      return null;
    return dateTime(621_355_968_000_000_000n + BigInt(Math.round(seconds * 1e7)), 1);
  }
}

/** Three base64url parts, `Bearer ` before them or not. Anything else: null. */
export function parseJwt(text: string | null): Jwt | null {
  if (text === null) return null;
  const token = text.trim().replace(/^bearer\s+/i, "");
  const parts = token.split(".");
  if (parts.length !== 3 || parts[0] === "" || parts[1] === "") return null;
  spend(1 + (token.length >>> 8));
  const header = section(parts[0]!);
  const claims = section(parts[1]!);
  if (header === null || claims === null || !/^[\w-]*$/.test(parts[2]!)) return null;
  return new Jwt(token, header, claims);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** One part as claims; null when it is no JSON object. */
function section(part: string): ReadonlyMap<string, string[]> | null {
  if (!/^[\w-]+=*$/.test(part)) return null;
  let raw: Raw;
  try {
    raw = readJson(decoder.decode(Buffer.from(part, "base64url")), "JObject", { dates: false });
  } catch (error) {
    // Bad JSON or bad UTF-8 means no token; a spent budget is not for us to hide.
    if (error instanceof BudgetError) throw error;
    return null;
  }
  const claims = new Map<string, string[]>();
  for (const [name, value] of raw as ReadonlyMap<string, Raw>) claims.set(name, claimTexts(value));
  return claims;
}

/** JSON arrays by element, objects as JSON text, null as nothing. */
function claimTexts(value: Raw): string[] {
  if (Array.isArray(value)) return value.map(claimText);
  return value === null ? [] : [claimText(value)];
}

function claimText(value: Raw): string {
  if (typeof value === "string") return value;
  if (value instanceof Map || Array.isArray(value)) {
    const out = new JsonText(false);
    writeRaw(out, value, 0);
    return out.text;
  }
  if (value instanceof Box) return String(value.value);
  return typeof value === "symbol" ? "" : scalarJson(STRING, value);
}

class BasicAuthCredentials implements NetObject {
  readonly userId: string;
  readonly password: string;

  constructor(userId: string, password: string) {
    this.userId = userId;
    this.password = password;
  }

  get [TYPE](): Type {
    return typeNamed("Gateway.BasicAuthCredentials");
  }
}

/** RFC 7617: `Basic ` + base64 of `user:password`; the user id has no colon. Bad input: null. */
function parseBasic(text: string | null): BasicAuthCredentials | null {
  const match = text === null ? null : /^\s*basic\s+([A-Za-z0-9+/]+={0,2})\s*$/i.exec(text);
  if (match === null || match[1]!.length % 4 !== 0) return null;
  const decoded = Buffer.from(match[1]!, "base64").toString("latin1");
  const colon = decoded.indexOf(":");
  return colon < 0 ? null : new BasicAuthCredentials(decoded.slice(0, colon), decoded.slice(colon + 1));
}

/** What get-authorization-context stores. */
export class Authorization implements NetObject {
  readonly accessToken: string;
  readonly claims: MapView;

  /** @param claims boxed values */
  constructor(accessToken: string, claims: ReadonlyMap<string, unknown>) {
    this.accessToken = accessToken;
    this.claims = new MapView(claims, typeNamed("System.Object"));
  }

  get [TYPE](): Type {
    return typeNamed("Gateway.Authorization");
  }
}

function toCell(value: unknown, cell: OutCell): boolean {
  cell.value = value;
  return value !== null;
}

defineType("class Gateway.Jwt", {
  "string Id { get; }": (jwt: Jwt) => jwt.first("jti"),
  "string Algorithm { get; }": (jwt: Jwt) => jwt.header.get("alg")?.[0] ?? null,
  "string Type { get; }": (jwt: Jwt) => jwt.header.get("typ")?.[0] ?? null,
  "string Issuer { get; }": (jwt: Jwt) => jwt.first("iss"),
  "string Subject { get; }": (jwt: Jwt) => jwt.first("sub"),
  "IEnumerable<string> Audiences { get; }": (jwt: Jwt) => texts(jwt.claims.get("aud")?.slice() ?? []),
  "IReadOnlyDictionary<string, string[]> Claims { get; }": (jwt: Jwt) => jwt.view,
  "DateTime? ExpirationTime { get; }": (jwt: Jwt) => jwt.time("exp"),
  "DateTime? NotBefore { get; }": (jwt: Jwt) => jwt.time("nbf"),
  "DateTime? IssuedAt { get; }": (jwt: Jwt) => jwt.time("iat"),
});

defineType("class Gateway.BasicAuthCredentials", {
  "string UserId { get; }": (credentials: BasicAuthCredentials) => credentials.userId,
  "string Username { get; }": (credentials: BasicAuthCredentials) => credentials.userId,
  "string Password { get; }": (credentials: BasicAuthCredentials) => credentials.password,
});

defineType("class Gateway.Authorization", {
  "string AccessToken { get; }": (authorization: Authorization) => authorization.accessToken,
  "IReadOnlyDictionary<string, object> Claims { get; }": (authorization: Authorization) =>
    authorization.claims,
});

defineType(
  "static Gateway.CredentialExtensions",
  {
    "static Jwt AsJwt(this string input)": parseJwt,
    "static bool TryParseJwt(this string input, out Jwt result)": (text: string | null, cell: OutCell) =>
      toCell(parseJwt(text), cell),
    "static BasicAuthCredentials AsBasic(this string input)": parseBasic,
    "static bool TryParseBasic(this string input, out BasicAuthCredentials result)": (
      text: string | null,
      cell: OutCell,
    ) => toCell(parseBasic(text), cell),
  },
  { nameable: false },
);
