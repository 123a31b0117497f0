/**
 * Tokens that were made to slip through: the attacks of RFC 8725 and of published CVEs, and the edge cases of encodings,
 * types and signatures. Each says how it must be refused. The policy knows an RSA key, a P-256 key and a secret.
 */
import { createHash, createHmac, sign } from "node:crypto";
import {
  CLAIMS,
  K256,
  NOW,
  OTHER_RSA,
  P256,
  P384,
  P521,
  RSA,
  SECRET,
  WEAK_RSA,
  b64,
  jwkOf,
  signatureOf,
  token,
} from "./testing.ts";

export interface Tricky {
  readonly name: string;
  readonly token: string;
  readonly reason: string;
}

const { privateKey: rsa, publicKey: rsaPublic } = RSA;
const { privateKey: ec } = P256;
const good = token("RS256", rsa);
const [head = "", body = "", tail = ""] = good.split(".");
const goodEc = token("ES256", ec);
const [ecHead = "", ecBody = "", ecTail = ""] = goodEc.split(".");
const ecBytes = Buffer.from(ecTail, "base64url");
const goodHs = token("HS256", SECRET);
const [hsHead = "", hsBody = "", hsTail = ""] = goodHs.split(".");
const spki = rsaPublic.export({ type: "spki", format: "pem" }) as string;
const spkiDer = rsaPublic.export({ type: "spki", format: "der" });
const pkcs1 = rsaPublic.export({ type: "pkcs1", format: "pem" }) as string;
const modulus = rsaPublic.export({ format: "jwk" }).n!;

const N256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const bytes32 = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex");

/** Rows `[name, token, reason]`. */
type Row = readonly [name: string, token: string, reason: string];

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The same octets with a stray bit behind them; the text must not be a multiple of four. */
function strayBit(text: string): string {
  const last = ALPHABET.indexOf(text.at(-1)!);
  return text.slice(0, -1) + ALPHABET[last + 1]!;
}

function ecWith(r: Buffer, s: Buffer): string {
  return `${ecHead}.${ecBody}.${Buffer.concat([r, s]).toString("base64url")}`;
}

function rsWith(header: object | string, payload: object | string = CLAIMS): string {
  return token("RS256", rsa, { header, payload });
}

const withHeader = (more: object): string => rsWith({ alg: "RS256", typ: "JWT", ...more });
const withClaims = (more: object): string => rsWith({ alg: "RS256" }, { ...CLAIMS, ...more });
const rawClaims = (text: string): string =>
  rsWith({ alg: "RS256" }, `{"iss":"https://issuer.example/","aud":"api://headgate",${text}}`);
const unsigned = (alg: unknown, signature = ""): string => `${b64({ alg, typ: "JWT" })}.${body}.${signature}`;

const BAD = "JwtInvalid";
const SIGNATURE = "TokenSignatureInvalid";
const NO_KEY = "TokenSignatureKeyNotFound";

const algorithms: readonly Row[] = [
  ["alg none", unsigned("none"), SIGNATURE],
  ["alg none with a signature", unsigned("none", tail), SIGNATURE],
  ["alg None", unsigned("None"), SIGNATURE],
  ["alg NONE", unsigned("NONE"), SIGNATURE],
  ["alg nOnE with another's signature", unsigned("nOnE", tail), SIGNATURE],
  ["alg none and a space", unsigned("none "), SIGNATURE],
  ["alg none and a NUL", unsigned("none\0"), SIGNATURE],
  ["alg none in unicode escapes", `${b64('{"alg":"\\u006eone"}')}.${body}.`, SIGNATURE],
  ["alg empty", unsigned(""), BAD],
  ["alg absent", `${b64({ typ: "JWT" })}.${body}.${tail}`, BAD],
  ["alg null", unsigned(null), BAD],
  ["alg a number", unsigned(256), BAD],
  ["alg a list", unsigned(["RS256"]), BAD],
  ["alg an object", unsigned({ RS256: true }), BAD],
  ["alg true", unsigned(true), BAD],
  ["alg in lower case", rsWith({ alg: "rs256" }), SIGNATURE],
  ["alg of another family", rsWith({ alg: "PS256" }), SIGNATURE],
  ["alg of another hash", rsWith({ alg: "RS384" }), SIGNATURE],
  ["alg unknown", rsWith({ alg: "RS1" }), SIGNATURE],
  ["alg HS1", rsWith({ alg: "HS1" }), SIGNATURE],
  ["alg EdDSA", rsWith({ alg: "EdDSA" }), SIGNATURE],
  ["alg ES256K", rsWith({ alg: "ES256K" }), SIGNATURE],
  ["alg of encryption", rsWith({ alg: "RSA-OAEP" }), SIGNATURE],
  ["alg dir", rsWith({ alg: "dir" }), SIGNATURE],
  ["alg that every object has", rsWith({ alg: "constructor" }), SIGNATURE],
  ["alg __proto__", rsWith({ alg: "__proto__" }), SIGNATURE],
  ["HS256 with the RSA key's PEM (CVE-2015-9235)", token("HS256", Buffer.from(spki)), SIGNATURE],
  ["HS256 with the PEM without its last line end", token("HS256", Buffer.from(spki.trim())), SIGNATURE],
  ["HS256 with the PEM with CRLF", token("HS256", Buffer.from(spki.replaceAll("\n", "\r\n"))), SIGNATURE],
  ["HS256 with the PKCS#1 PEM", token("HS256", Buffer.from(pkcs1)), SIGNATURE],
  ["HS256 with the DER", token("HS256", spkiDer), SIGNATURE],
  ["HS256 with the modulus", token("HS256", Buffer.from(modulus, "base64url")), SIGNATURE],
  ["HS256 with the modulus as text", token("HS256", Buffer.from(modulus)), SIGNATURE],
  ["HS256 with the JWK as text", token("HS256", Buffer.from(JSON.stringify(jwkOf(rsaPublic)))), SIGNATURE],
  ["HS384 with the RSA key's PEM", token("HS384", Buffer.from(spki)), SIGNATURE],
  ["HS512 with the RSA key's PEM", token("HS512", Buffer.from(spki)), SIGNATURE],
  [
    "HS256 with the EC key's point",
    token("HS256", Buffer.from(P256.publicKey.export({ format: "jwk" }).x!, "base64url")),
    SIGNATURE,
  ],
  ["HS256 with an empty secret", token("HS256", Buffer.alloc(0)), SIGNATURE],
  ["HS256 with a zero octet", token("HS256", Buffer.alloc(1)), SIGNATURE],
  ["HS256 with the secret's Base64", token("HS256", Buffer.from(SECRET.toString("base64"))), SIGNATURE],
  [
    "HS256 of HS512's tag, cut",
    `${hsHead}.${hsBody}.${createHmac("sha512", SECRET).update(`${hsHead}.${hsBody}`).digest().subarray(0, 32).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "plain SHA-256 as HS256",
    `${hsHead}.${hsBody}.${createHash("sha256").update(`${hsHead}.${hsBody}`).digest("base64url")}`,
    SIGNATURE,
  ],
  [
    "SHA-256 of secret and message",
    `${hsHead}.${hsBody}.${createHash("sha256").update(SECRET).update(`${hsHead}.${hsBody}`).digest("base64url")}`,
    SIGNATURE,
  ],
  ["RS256 by ES256's name", token("RS256", rsa, { header: { alg: "ES256" } }), SIGNATURE],
  ["ES256 by RS256's name", token("ES256", ec, { header: { alg: "RS256" } }), SIGNATURE],
  ["ES384 while only P-256 is known", token("ES384", P384.privateKey), NO_KEY],
  ["ES512 while only P-256 is known", token("ES512", P521.privateKey), NO_KEY],
  ["ES384's name on the P-256 key", token("ES384", ec), NO_KEY],
  ["secp256k1 by ES256's name", token("ES256", K256.privateKey), SIGNATURE],
  ["a stranger's RSA key", token("RS256", OTHER_RSA.privateKey), SIGNATURE],
  ["a stranger's PS256", token("PS256", OTHER_RSA.privateKey), SIGNATURE],
  ["a stranger's short RSA key", token("RS256", WEAK_RSA.privateKey), SIGNATURE],
];

const signatures: readonly Row[] = [
  ["no signature", `${head}.${body}.`, SIGNATURE],
  [
    "signature cut",
    `${head}.${body}.${Buffer.from(tail, "base64url").subarray(0, 255).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "signature with an octet more",
    `${head}.${body}.${b64(Buffer.concat([Buffer.from(tail, "base64url"), Buffer.alloc(1)]))}`,
    SIGNATURE,
  ],
  [
    "signature with a zero in front",
    `${head}.${body}.${b64(Buffer.concat([Buffer.alloc(1), Buffer.from(tail, "base64url")]))}`,
    SIGNATURE,
  ],
  ["signature of zeros", `${head}.${body}.${b64(Buffer.alloc(256))}`, SIGNATURE],
  ["signature of ones", `${head}.${body}.${b64(Buffer.alloc(256, 0xff))}`, SIGNATURE],
  ["signature 1", `${head}.${body}.${b64(Buffer.concat([Buffer.alloc(255), Buffer.from([1])]))}`, SIGNATURE],
  ["signature equal to the modulus", `${head}.${body}.${modulus}`, SIGNATURE],
  [
    "one bit of the signature",
    `${head}.${body}.${tail.slice(0, 10)}${tail[10] === "A" ? "B" : "A"}${tail.slice(11)}`,
    SIGNATURE,
  ],
  ["another payload", `${head}.${b64({ ...CLAIMS, sub: "admin" })}.${tail}`, SIGNATURE],
  ["another header", `${b64({ alg: "RS256", typ: "JWT", kid: "rsa" })}.${body}.${tail}`, SIGNATURE],
  [
    "signature over the payload alone",
    `${head}.${body}.${signatureOf(body, "RS256", rsa).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "signature over decoded parts",
    `${head}.${body}.${signatureOf(JSON.stringify(CLAIMS), "RS256", rsa).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "PS256 with no salt",
    `${b64({ alg: "PS256" })}.${body}.${sign("sha256", Buffer.from(`${b64({ alg: "PS256" })}.${body}`), { key: rsa, padding: 6, saltLength: 0 }).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "PS256 with a long salt",
    `${b64({ alg: "PS256" })}.${body}.${sign("sha256", Buffer.from(`${b64({ alg: "PS256" })}.${body}`), { key: rsa, padding: 6, saltLength: 200 }).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "PS256 with RS256's padding",
    `${b64({ alg: "PS256" })}.${body}.${signatureOf(`${b64({ alg: "PS256" })}.${body}`, "RS256", rsa).toString("base64url")}`,
    SIGNATURE,
  ],
  [
    "ES256 in DER",
    `${ecHead}.${ecBody}.${sign("sha256", Buffer.from(`${ecHead}.${ecBody}`), ec).toString("base64url")}`,
    SIGNATURE,
  ],
  ["ES256 r = s = 0 (CVE-2022-21449)", ecWith(bytes32(0n), bytes32(0n)), SIGNATURE],
  ["ES256 r = 0", ecWith(bytes32(0n), ecBytes.subarray(32)), SIGNATURE],
  ["ES256 s = 0", ecWith(ecBytes.subarray(0, 32), bytes32(0n)), SIGNATURE],
  ["ES256 r = s = 1", ecWith(bytes32(1n), bytes32(1n)), SIGNATURE],
  ["ES256 r = s = n", ecWith(bytes32(N256), bytes32(N256)), SIGNATURE],
  ["ES256 r = n - 1", ecWith(bytes32(N256 - 1n), ecBytes.subarray(32)), SIGNATURE],
  ["ES256 r and s swapped", ecWith(ecBytes.subarray(32), ecBytes.subarray(0, 32)), SIGNATURE],
  ["ES256 all ones", ecWith(Buffer.alloc(32, 0xff), Buffer.alloc(32, 0xff)), SIGNATURE],
  ["ES256 of 63 octets", `${ecHead}.${ecBody}.${b64(ecBytes.subarray(0, 63))}`, SIGNATURE],
  ["ES256 of 65 octets", `${ecHead}.${ecBody}.${b64(Buffer.concat([ecBytes, Buffer.alloc(1)]))}`, SIGNATURE],
  [
    "ES256 padded as ES384",
    `${ecHead}.${ecBody}.${b64(Buffer.concat([Buffer.alloc(16), ecBytes.subarray(0, 32), Buffer.alloc(16), ecBytes.subarray(32)]))}`,
    SIGNATURE,
  ],
  ["ES256 without a signature", `${ecHead}.${ecBody}.`, SIGNATURE],
  ["HS256 without a signature", `${hsHead}.${hsBody}.`, SIGNATURE],
  [
    "HS256 cut to one octet",
    `${hsHead}.${hsBody}.${b64(Buffer.from(hsTail, "base64url").subarray(0, 1))}`,
    SIGNATURE,
  ],
  [
    "HS256 cut to 16 octets",
    `${hsHead}.${hsBody}.${b64(Buffer.from(hsTail, "base64url").subarray(0, 16))}`,
    SIGNATURE,
  ],
  [
    "HS256 twice",
    `${hsHead}.${hsBody}.${b64(Buffer.concat([Buffer.from(hsTail, "base64url"), Buffer.from(hsTail, "base64url")]))}`,
    SIGNATURE,
  ],
];

const encodings: readonly Row[] = [
  ["one part", head, BAD],
  ["two parts", `${head}.${body}`, BAD],
  ["four parts", `${good}.${tail}`, BAD],
  ["six parts", `${good}.a.b.c`, BAD],
  ["only dots", "..", BAD],
  ["four dots", "....", BAD],
  ["empty header", `.${body}.${tail}`, BAD],
  ["empty payload", `${head}..${tail}`, BAD],
  ["empty payload, signed", token("RS256", rsa, { payload: "" }), BAD],
  ["padding", `${head}=.${body}.${tail}`, BAD],
  ["padding on the signature", `${good}==`, BAD],
  [
    "standard base64 in the signature",
    `${head}.${body}.${Buffer.from(tail, "base64url").toString("base64")}`,
    BAD,
  ],
  ["stray bits in the signature", `${head}.${body}.${strayBit(tail)}`, BAD],
  ["stray bits in the ES256 signature", `${ecHead}.${ecBody}.${strayBit(ecTail)}`, BAD],
  ["stray bits in the header", `${strayBit(b64('{"alg":"RS256" }'))}.${body}.${tail}`, BAD],
  ["a length that base64 cannot have", `${head}.${body}.${tail}AAA`, BAD],
  ["a space inside", `${head}.${body.slice(0, 4)} ${body.slice(4)}.${tail}`, BAD],
  ["a tab inside", `${head}.${body.slice(0, 4)}\t${body.slice(4)}.${tail}`, BAD],
  ["a space before a dot", `${head} .${body}.${tail}`, BAD],
  ["a percent escape", `${head}.${body}%2e.${tail}`, BAD],
  ["letters beyond ASCII", `${head}.${body}é.${tail}`, BAD],
  ["a plus", `${head}.+${body}.${tail}`, BAD],
  ["a slash", `${head}.${body}/.${tail}`, BAD],
  ["two tokens", `${good},${good}`, BAD],
  ["two tokens with a space", `${good} ${good}`, BAD],
  ["JSON serialisation", JSON.stringify({ protected: head, payload: body, signature: tail }), BAD],
  ["JSON serialisation with dots", JSON.stringify({ "protected.": `${head}.`, payload: body }), BAD],
  ["too long", `${head}.${"A".repeat(70_000)}.${tail}`, BAD],
  ["header not JSON", `${b64("alg=RS256")}.${body}.${tail}`, BAD],
  ["header a list", `${b64("[]")}.${body}.${tail}`, BAD],
  ["header a string", `${b64('"RS256"')}.${body}.${tail}`, BAD],
  ["header null", `${b64("null")}.${body}.${tail}`, BAD],
  ["header with text behind it", `${b64('{"alg":"RS256"}{}')}.${body}.${tail}`, BAD],
  ["header with a comment", `${b64('{"alg":"RS256"/**/}')}.${body}.${tail}`, BAD],
  ["header with a byte order mark", `${b64('\ufeff{"alg":"RS256"}')}.${body}.${tail}`, BAD],
  [
    "header in UTF-16",
    `${Buffer.from('{"alg":"RS256"}', "utf16le").toString("base64url")}.${body}.${tail}`,
    BAD,
  ],
  [
    "header in broken UTF-8",
    `${b64(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))}.${body}.${tail}`,
    BAD,
  ],
  ["header with a final comma", `${b64('{"alg":"RS256",}')}.${body}.${tail}`, BAD],
  ["header in single quotes", `${b64("{'alg':'RS256'}")}.${body}.${tail}`, BAD],
  ["payload a list", rsWith({ alg: "RS256" }, "[]"), BAD],
  ["payload a string", rsWith({ alg: "RS256" }, '"x"'), BAD],
  ["payload a number", rsWith({ alg: "RS256" }, "1"), BAD],
  ["payload null", rsWith({ alg: "RS256" }, "null"), BAD],
  ["payload another token", rsWith({ alg: "RS256", cty: "JWT" }, good), BAD],
  [
    "payload in broken UTF-8",
    `${head}.${b64(Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]))}.${tail}`,
    BAD,
  ],
  ["payload cut", rsWith({ alg: "RS256" }, '{"iss":"https://issuer.example/"'), BAD],
  ["payload with a NUL behind it", rsWith({ alg: "RS256" }, `${JSON.stringify(CLAIMS)}\0`), BAD],
  ["payload with a byte order mark", rsWith({ alg: "RS256" }, `\ufeff${JSON.stringify(CLAIMS)}`), BAD],
];

const headers: readonly Row[] = [
  ["alg twice, none last", rsWith('{"alg":"RS256","alg":"none"}'), BAD],
  ["alg twice, none first", rsWith('{"alg":"none","alg":"RS256"}'), BAD],
  ["alg twice, the second in escapes", rsWith('{"alg":"RS256","\\u0061lg":"none"}'), BAD],
  ["kid twice", rsWith('{"alg":"RS256","kid":"a","kid":"b"}'), BAD],
  ["kid a list", withHeader({ kid: ["rsa"] }), BAD],
  ["kid a number", withHeader({ kid: 1 }), BAD],
  ["kid null", withHeader({ kid: null }), BAD],
  ["kid an object", withHeader({ kid: { toString: "rsa" } }), BAD],
  [
    "kid a path",
    token("HS256", Buffer.alloc(0), { header: { alg: "HS256", kid: "../../../../dev/null" } }),
    NO_KEY,
  ],
  [
    "kid a file",
    token("HS256", Buffer.from("\n"), {
      header: { alg: "HS256", kid: "/proc/sys/kernel/randomize_va_space" },
    }),
    NO_KEY,
  ],
  ["kid a URL", token("HS256", SECRET, { header: { alg: "HS256", kid: "http://127.0.0.1:1/key" } }), NO_KEY],
  [
    "kid with SQL",
    token("HS256", Buffer.from("x"), { header: { alg: "HS256", kid: "' UNION SELECT 'x" } }),
    NO_KEY,
  ],
  ["kid with a command", withHeader({ kid: "|id" }), NO_KEY],
  ["kid with a NUL", withHeader({ kid: "rsa\0" }), NO_KEY],
  ["kid in another case", withHeader({ kid: "RSA" }), NO_KEY],
  ["kid with a space", withHeader({ kid: "rsa " }), NO_KEY],
  ["kid empty", withHeader({ kid: "" }), NO_KEY],
  ["kid of every object", withHeader({ kid: "__proto__" }), NO_KEY],
  ["kid of another key", withHeader({ kid: "hs" }), NO_KEY],
  [
    "HS256 under the RSA key's kid",
    token("HS256", Buffer.from(spki), { header: { alg: "HS256", kid: "rsa" } }),
    NO_KEY,
  ],
  [
    "the sender's own key in jwk (CVE-2018-0114)",
    token("RS256", OTHER_RSA.privateKey, { header: { alg: "RS256", jwk: jwkOf(OTHER_RSA.publicKey) } }),
    SIGNATURE,
  ],
  [
    "the sender's own key in jku",
    token("RS256", OTHER_RSA.privateKey, { header: { alg: "RS256", jku: "https://attacker.example/jwks" } }),
    SIGNATURE,
  ],
  [
    "the sender's own key in x5u",
    token("RS256", OTHER_RSA.privateKey, { header: { alg: "RS256", x5u: "https://attacker.example/x.pem" } }),
    SIGNATURE,
  ],
  [
    "the sender's own key in x5c",
    token("RS256", OTHER_RSA.privateKey, { header: { alg: "RS256", x5c: ["MIIB"] } }),
    SIGNATURE,
  ],
  [
    "an oct jwk",
    token("HS256", Buffer.from("k"), { header: { alg: "HS256", jwk: { kty: "oct", k: "aw" } } }),
    SIGNATURE,
  ],
  ["crit with an unknown name", withHeader({ crit: ["exp"], exp: 1 }), BAD],
  ["crit with b64", withHeader({ crit: ["b64"], b64: false }), BAD],
  ["crit empty", withHeader({ crit: [] }), BAD],
  ["crit null", withHeader({ crit: null }), BAD],
  ["crit a string", withHeader({ crit: "exp" }), BAD],
  ["b64 false without crit", withHeader({ b64: false }), BAD],
  ["typ a number", withHeader({ typ: 1 }), BAD],
  ["an encrypted token's header on three parts", rsWith({ alg: "RSA-OAEP", enc: "A128GCM" }), SIGNATURE],
  ["a signed token's header on five parts", `${head}.${body}.${tail}.${tail}.${tail}`, BAD],
  ["five parts, alg none", `${b64({ alg: "none", enc: "A128GCM" })}.${body}.${tail}.${tail}.${tail}`, BAD],
  [
    "five parts, PBES2 with many rounds",
    `${b64({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2s: "AAAA", p2c: 2_000_000_000 })}.AAAA.AAAA.AAAA.AAAA`,
    BAD,
  ],
  ["five parts, RSA1_5", `${b64({ alg: "RSA1_5", enc: "A128CBC-HS256" })}.AAAA.AAAA.AAAA.AAAA`, BAD],
  ["five parts, compressed", `${b64({ alg: "dir", enc: "A128GCM", zip: "DEF" })}..AAAA.AAAA.AAAA`, BAD],
];

const claims: readonly Row[] = [
  ["exp passed", withClaims({ exp: NOW - 1 }), "TokenExpired"],
  ["exp now", withClaims({ exp: NOW }), "TokenExpired"],
  ["exp a moment ago", withClaims({ exp: NOW - 0.001 }), "TokenExpired"],
  ["exp 0", withClaims({ exp: 0 }), "TokenExpired"],
  ["exp -0", rawClaims('"exp":-0'), "TokenExpired"],
  ["exp negative", withClaims({ exp: -NOW - 600 }), "TokenExpired"],
  ["exp absent", withClaims({ exp: undefined }), BAD],
  ["exp null", withClaims({ exp: null }), BAD],
  ["exp a string", withClaims({ exp: String(NOW + 600) }), BAD],
  ["exp a word", withClaims({ exp: "never" }), BAD],
  ["exp a list", withClaims({ exp: [NOW + 600] }), BAD],
  ["exp an object", withClaims({ exp: {} }), BAD],
  ["exp true", withClaims({ exp: true }), BAD],
  ["exp NaN", rawClaims('"exp":NaN'), BAD],
  ["exp Infinity", rawClaims('"exp":Infinity'), BAD],
  ["exp 1e400", rawClaims('"exp":1e400'), BAD],
  ["exp 1e300", rawClaims('"exp":1e300'), BAD],
  ["exp in hexadecimal", rawClaims('"exp":0xffffffff'), BAD],
  ["exp with a leading zero", rawClaims(`"exp":0${NOW + 600}`), BAD],
  ["exp with a plus", rawClaims(`"exp":+${NOW + 600}`), BAD],
  ["exp in milliseconds", withClaims({ exp: (NOW - 600) * 1000 }), BAD],
  ["exp beyond all integers", rawClaims('"exp":99999999999999999999999999'), BAD],
  ["exp twice, the good one last", rawClaims(`"exp":1,"exp":${NOW + 600}`), BAD],
  ["exp twice, the good one first", rawClaims(`"exp":${NOW + 600},"exp":1`), BAD],
  ["exp twice, once in escapes", rawClaims(`"\\u0065xp":1,"exp":${NOW + 600}`), BAD],
  ["exp in another case", rawClaims(`"EXP":${NOW + 600}`), BAD],
  ["exp inside another object", rawClaims(`"x":{"exp":${NOW + 600}}`), BAD],
  ["exp on the prototype", rawClaims(`"__proto__":{"exp":${NOW + 600}}`), BAD],
  ["nbf in the future", withClaims({ nbf: NOW + 1 }), BAD],
  ["nbf a string", withClaims({ nbf: String(NOW - 1) }), BAD],
  ["nbf null", withClaims({ nbf: null }), BAD],
  ["nbf 1e400", rawClaims(`"exp":${NOW + 600},"nbf":-1e400`), BAD],
  ["iat a string", withClaims({ iat: "yesterday" }), BAD],
  ["iss absent", withClaims({ iss: undefined }), "TokenIssuerNotAllowed"],
  ["iss empty", withClaims({ iss: "" }), "TokenIssuerNotAllowed"],
  ["iss another", withClaims({ iss: "https://attacker.example/" }), "TokenIssuerNotAllowed"],
  ["iss without its slash", withClaims({ iss: "https://issuer.example" }), "TokenIssuerNotAllowed"],
  ["iss in another case", withClaims({ iss: "https://ISSUER.example/" }), "TokenIssuerNotAllowed"],
  ["iss with a space", withClaims({ iss: "https://issuer.example/ " }), "TokenIssuerNotAllowed"],
  ["iss with a NUL", withClaims({ iss: "https://issuer.example/\0" }), "TokenIssuerNotAllowed"],
  [
    "iss as a user name",
    withClaims({ iss: "https://issuer.example/@attacker.example/" }),
    "TokenIssuerNotAllowed",
  ],
  ["iss a list", withClaims({ iss: ["https://issuer.example/"] }), BAD],
  [
    "iss a list with another",
    withClaims({ iss: ["https://attacker.example/", "https://issuer.example/"] }),
    BAD,
  ],
  ["iss a number", withClaims({ iss: 1 }), BAD],
  ["iss null", withClaims({ iss: null }), BAD],
  [
    "iss twice",
    rsWith(
      { alg: "RS256" },
      `{"iss":"https://attacker.example/","iss":"https://issuer.example/","aud":"api://headgate","exp":${NOW + 600}}`,
    ),
    BAD,
  ],
  ["aud absent", withClaims({ aud: undefined }), "TokenAudienceNotAllowed"],
  ["aud another", withClaims({ aud: "api://other" }), "TokenAudienceNotAllowed"],
  ["aud longer", withClaims({ aud: "api://headgate.attacker.example" }), "TokenAudienceNotAllowed"],
  ["aud shorter", withClaims({ aud: "api://head" }), "TokenAudienceNotAllowed"],
  ["aud with spaces", withClaims({ aud: "api://other api://headgate" }), "TokenAudienceNotAllowed"],
  ["aud an empty list", withClaims({ aud: [] }), "TokenAudienceNotAllowed"],
  ["aud a list of others", withClaims({ aud: ["a", "b"] }), "TokenAudienceNotAllowed"],
  ["aud a list in a list", withClaims({ aud: [["api://headgate"]] }), BAD],
  ["aud with a number in it", withClaims({ aud: ["api://headgate", 1] }), BAD],
  ["aud an object", withClaims({ aud: { "api://headgate": true } }), BAD],
  ["aud null", withClaims({ aud: null }), BAD],
  [
    "aud twice",
    rsWith(
      { alg: "RS256" },
      `{"iss":"https://issuer.example/","aud":"x","aud":"api://headgate","exp":${NOW + 600}}`,
    ),
    BAD,
  ],
  ["sub a number", withClaims({ sub: 1 }), BAD],
  ["jti a list", withClaims({ jti: ["1"] }), BAD],
];

export const TRICKY: readonly Tricky[] = [
  ...algorithms,
  ...signatures,
  ...encodings,
  ...headers,
  ...claims,
].map(([name, text, reason]) => ({
  name,
  token: text,
  reason,
}));

/** Good ones that look odd. */
export const HONEST: readonly (readonly [name: string, token: string])[] = [
  ["RS256", good],
  ["RS384", token("RS384", rsa)],
  ["RS512", token("RS512", rsa)],
  ["PS256", token("PS256", rsa)],
  ["PS384", token("PS384", rsa)],
  ["PS512", token("PS512", rsa)],
  ["ES256", goodEc],
  ["HS256", goodHs],
  ["HS384", token("HS384", SECRET)],
  ["HS512", token("HS512", SECRET)],
  ["with its kid", withHeader({ kid: "rsa" })],
  ["no typ", rsWith({ alg: "RS256" })],
  ["typ at+jwt", withHeader({ typ: "at+jwt" })],
  ["x5t and other members", withHeader({ x5t: "abc", nonce: "n", foo: { bar: [1, 2] } })],
  ["jku that nobody follows", withHeader({ jku: "http://127.0.0.1:1/" })],
  ["white space in the JSON", rsWith('{ "alg" :\n"RS256" }', `\n${JSON.stringify(CLAIMS, null, 2)}\n`)],
  ["alg in unicode escapes", rsWith('{"alg":"\\u0052S256"}')],
  ["b64 true", withHeader({ b64: true })],
  ["a list of audiences", withClaims({ aud: ["other", "api://headgate"] })],
  ["a fraction in exp", withClaims({ exp: NOW + 0.5 })],
  ["exp with an exponent", rawClaims('"exp":1.8e9')],
  ["exp far away", withClaims({ exp: 253_402_300_799 })],
  ["nbf now", withClaims({ nbf: NOW })],
  ["nbf with a fraction", withClaims({ nbf: NOW - 0.5 })],
  ["iat in the future", withClaims({ iat: NOW + 5 })],
  ["names that only nested objects share", withClaims({ a: { exp: 1, x: { exp: 2 } }, b: { exp: 3 } })],
  ["names that differ in case", rawClaims(`"exp":${NOW + 600},"Exp":1`)],
  ["a member called __proto__", rawClaims(`"exp":${NOW + 600},"__proto__":{"x":1}`)],
  ["braces and quotes in strings", withClaims({ note: '},{"exp":1,\\"[' })],
  ["letters of all the world", withClaims({ name: "Zoë 東京 🚀" })],
  ["empty strings, lists and objects", withClaims({ a: "", b: [], c: {}, d: null, e: [{}, []] })],
  [
    "a long one",
    withClaims({
      groups: Array.from({ length: 200 }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`),
    }),
  ],
];
