/**
 * Opening PKCS#12 (PFX) files (RFC 7292): Node opens them only for TLS, so the certificate and key are taken out
 * here. Covers what Windows, OpenSSL and Java write: PBES2 with AES, 3DES and RC2 with PKCS#12's own key derivation.
 */
import {
  type KeyObject,
  X509Certificate,
  createDecipheriv,
  createPrivateKey,
  hash,
  pbkdf2Sync,
  timingSafeEqual,
  createHmac,
} from "node:crypto";
import { spend } from "../budget.ts";
import { type Der, SEQUENCE, children, derText, objectId, octets, readDer, smallInteger } from "./der.ts";
import { decryptRc2 } from "./rc2.ts";

export interface OpenedPfx {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject | null;
  readonly friendlyName: string;
  /** The other certificates in the file: those that issued it, if they came along. */
  readonly chain: readonly X509Certificate[];
}

/** `password`: wrong or missing. `format`: not a PFX file, or one of a kind we cannot open. */
export type PfxFailure = "password" | "format";

/** Honest files use some thousands; more would only stall the gateway. */
const MOST_ITERATIONS = 100_000;

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const BAG = "1.2.840.113549.1.12.10.1.";
const FRIENDLY_NAME = "1.2.840.113549.1.9.20";
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";

interface Bag {
  readonly kind: string;
  readonly value: Der;
  readonly friendlyName: string;
  readonly localKeyId: string;
}

/** Stops the reading from anywhere inside; never leaves this file. */
class Refused extends Error {
  readonly failure: PfxFailure;
  constructor(failure: PfxFailure) {
    super(failure);
    this.failure = failure;
  }
}

function need<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Refused("format");
  return value;
}

export function openPfx(bytes: Uint8Array, password: string): OpenedPfx | PfxFailure {
  try {
    return open(bytes, password);
  } catch (error) {
    if (error instanceof Refused) return error.failure;
    // Node's own complaint about a key or certificate inside.
    if (error instanceof Error && "code" in error) return "format";
    throw error;
  }
}

function open(bytes: Uint8Array, password: string): OpenedPfx {
  const pfx = need(children(readDer(bytes)));
  if (smallInteger(pfx[0]) !== 3) throw new Refused("format");
  const [type, content] = need(children(pfx[1]));
  if (objectId(type) !== DATA) throw new Refused("format");
  const safe = need(octets(need(children(content))[0]));
  // An empty password is written in two ways: no octets, or one terminating zero.
  const secrets = password === "" ? [bmp(""), new Uint8Array(0)] : [bmp(password)];
  const secret = pfx[2] === undefined ? secrets[0]! : secrets.find((s) => isAuthentic(pfx[2]!, safe, s));
  if (secret === undefined) throw new Refused("password");

  const bags: Bag[] = [];
  for (const info of need(children(readDer(safe)))) {
    const [kind, wrapped] = need(children(info));
    const inner = need(children(wrapped))[0];
    let contents: Uint8Array;
    if (objectId(kind) === DATA) contents = need(octets(inner));
    else if (objectId(kind) === ENCRYPTED_DATA) {
      const [, algorithm, encrypted] = need(children(need(children(inner))[1]));
      contents = decrypt(need(algorithm), need(octets(encrypted)), secret, password);
    } else continue;
    for (const bag of need(children(readDer(contents)))) bags.push(readBag(bag));
  }
  return choose(bags, secret, password);
}

function readBag(der: Der): Bag {
  const [id, value, attributes] = need(children(der));
  let friendlyName = "";
  let localKeyId = "";
  for (const attribute of attributes === undefined ? [] : need(children(attributes))) {
    const [name, values] = need(children(attribute));
    const first = need(children(values))[0];
    if (first === undefined) continue;
    if (objectId(name) === FRIENDLY_NAME) friendlyName = derText(first);
    else if (objectId(name) === LOCAL_KEY_ID) localKeyId = first.value.join(".");
  }
  return {
    kind: objectId(id).replace(BAG, ""),
    value: need(need(children(value))[0]),
    friendlyName,
    localKeyId,
  };
}

/** The certificate that has a key; without any, the first one. */
function choose(bags: readonly Bag[], secret: Uint8Array, password: string): OpenedPfx {
  const keys: KeyObject[] = [];
  for (const bag of bags) {
    if (bag.kind === "1") keys.push(privateKey(bag.value.whole));
    else if (bag.kind === "2") {
      const [algorithm, encrypted] = need(children(bag.value));
      keys.push(privateKey(decrypt(need(algorithm), need(octets(encrypted)), secret, password)));
    }
  }
  const certificates = bags
    .filter((bag) => bag.kind === "3")
    .map((bag) => {
      const wrapped = need(children(bag.value))[1];
      return { bag, certificate: new X509Certificate(need(octets(need(children(wrapped))[0]))) };
    });
  const chainOf = (own: X509Certificate): X509Certificate[] =>
    certificates.map(({ certificate }) => certificate).filter((certificate) => certificate !== own);
  for (const { bag, certificate } of certificates) {
    const key = keys.find((candidate) => certificate.checkPrivateKey(candidate));
    if (key === undefined) continue;
    return { certificate, privateKey: key, friendlyName: bag.friendlyName, chain: chainOf(certificate) };
  }
  const first = certificates[0];
  if (first === undefined) throw new Refused("format");
  const { certificate, bag } = first;
  return { certificate, privateKey: null, friendlyName: bag.friendlyName, chain: chainOf(certificate) };
}

function privateKey(pkcs8: Uint8Array): KeyObject {
  const whole = need(readDer(pkcs8));
  if (whole.tag !== SEQUENCE) throw new Refused("format");
  return createPrivateKey({ key: Buffer.from(whole.whole), format: "der", type: "pkcs8" });
}

/** UTF-16BE with a terminating zero. */
function bmp(password: string): Uint8Array {
  const bytes = new Uint8Array(password.length * 2 + 2);
  for (let i = 0; i < password.length; i++) {
    bytes[i * 2] = password.charCodeAt(i) >>> 8;
    bytes[i * 2 + 1] = password.charCodeAt(i) & 255;
  }
  return bytes;
}

const DIGESTS: ReadonlyMap<string, { name: string; size: number; block: number }> = new Map([
  ["1.3.14.3.2.26", { name: "sha1", size: 20, block: 64 }],
  ["2.16.840.1.101.3.4.2.1", { name: "sha256", size: 32, block: 64 }],
  ["2.16.840.1.101.3.4.2.2", { name: "sha384", size: 48, block: 128 }],
  ["2.16.840.1.101.3.4.2.3", { name: "sha512", size: 64, block: 128 }],
]);

function checkIterations(count: number): number {
  if (!(count >= 1 && count <= MOST_ITERATIONS)) throw new Refused("format");
  spend(count >>> 4);
  return count;
}

function isAuthentic(mac: Der, content: Uint8Array, secret: Uint8Array): boolean {
  const [info, salt, count] = need(children(mac));
  const [algorithm, expected] = need(children(info));
  const digest = need(DIGESTS.get(objectId(need(children(algorithm))[0])));
  const iterations = checkIterations(count === undefined ? 1 : smallInteger(count));
  const key = derive(secret, need(octets(salt)), iterations, 3, digest.size, digest);
  const actual = createHmac(digest.name, key).update(content).digest();
  const wanted = need(octets(expected));
  return actual.length === wanted.length && timingSafeEqual(actual, wanted);
}

const SHA1 = { name: "sha1", size: 20, block: 64 };

/** RFC 7292 appendix B. @param id 1: key, 2: initialization vector, 3: MAC key */
function derive(
  secret: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  id: number,
  length: number,
  digest: { name: string; size: number; block: number },
): Uint8Array {
  const v = digest.block;
  const fillTo = (bytes: Uint8Array): Uint8Array => {
    const filled = new Uint8Array(Math.ceil(bytes.length / v) * v);
    for (let i = 0; i < filled.length; i++) filled[i] = bytes[i % bytes.length]!;
    return filled;
  };
  const input = new Uint8Array([...fillTo(salt), ...fillTo(secret)]);
  const result = new Uint8Array(length);
  for (let at = 0; at < length; at += digest.size) {
    let a: Uint8Array = hash(
      digest.name,
      new Uint8Array([...new Uint8Array(v).fill(id), ...input]),
      "buffer",
    );
    for (let i = 1; i < iterations; i++) a = hash(digest.name, a, "buffer");
    result.set(a.subarray(0, Math.min(digest.size, length - at)), at);
    for (let block = 0; block < input.length; block += v) {
      let carry = 1;
      for (let i = v - 1; i >= 0; i--) {
        carry += input[block + i]! + a[i % digest.size]!;
        input[block + i] = carry & 255;
        carry >>= 8;
      }
    }
  }
  return result;
}

const PBES2 = "1.2.840.113549.1.5.13";
const PBE = "1.2.840.113549.1.12.1.";
const CIPHERS: ReadonlyMap<string, { name: string; key: number }> = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", key: 16 }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", key: 24 }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", key: 32 }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", key: 24 }],
]);
const PRFS: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.2.7", "sha1"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

function decrypt(algorithm: Der, encrypted: Uint8Array, secret: Uint8Array, password: string): Uint8Array {
  const [id, parameters] = need(children(algorithm));
  const name = objectId(id);
  if (name === PBES2) return decryptPbes2(need(parameters), encrypted, password);
  const [salt, count] = need(children(parameters));
  const iterations = checkIterations(smallInteger(count));
  const part = (purpose: number, length: number): Uint8Array =>
    derive(secret, need(octets(salt)), iterations, purpose, length, SHA1);
  switch (name) {
    case `${PBE}3`:
      return decipher("des-ede3-cbc", part(1, 24), part(2, 8), encrypted);
    case `${PBE}4`: {
      const key = part(1, 16);
      return decipher("des-ede3-cbc", new Uint8Array([...key, ...key.subarray(0, 8)]), part(2, 8), encrypted);
    }
    case `${PBE}5`:
      return need(decryptRc2(part(1, 16), part(2, 8), encrypted));
    case `${PBE}6`:
      return need(decryptRc2(part(1, 5), part(2, 8), encrypted));
    default:
      throw new Refused("format");
  }
}

function decryptPbes2(parameters: Der, encrypted: Uint8Array, password: string): Uint8Array {
  const [derivation, scheme] = need(children(parameters));
  const [salt, count, ...rest] = need(children(need(children(derivation))[1]));
  const prf = rest.find((der) => der.tag === SEQUENCE);
  const digest = prf === undefined ? "sha1" : need(PRFS.get(objectId(need(children(prf))[0])));
  const [cipherId, iv] = need(children(scheme));
  const cipher = need(CIPHERS.get(objectId(cipherId)));
  const key = pbkdf2Sync(
    password,
    need(octets(salt)),
    checkIterations(smallInteger(count)),
    cipher.key,
    digest,
  );
  return decipher(cipher.name, key, need(octets(iv)), encrypted);
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  try {
    const cipher = createDecipheriv(name, key, iv);
    return Buffer.concat([cipher.update(encrypted), cipher.final()]);
  } catch {
    throw new Refused("password");
  }
}
