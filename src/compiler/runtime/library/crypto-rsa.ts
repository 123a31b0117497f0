/** RSA: signing, verifying, encrypting with keys of certificates or imported ones. Keys are never generated here. */
import {
  type KeyObject,
  constants,
  createPrivateKey,
  createPublicKey,
  hash as digestOf,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  randomFillSync,
  sign,
  verify,
} from "node:crypto";
import { spend } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError, argumentNull } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, hashOf, typeNamed } from "../values.ts";
import { HASHES, type HashFunction, cryptographic, plainBytes, slice } from "./crypto-hash.ts";

/** A hundred private-key operations use up an evaluation (`expressions.md` §6). */
const PRIVATE_COST = 10_000;
const PUBLIC_COST = 500;

const NAMESPACE = "System.Security.Cryptography";

class HashAlgorithmName implements NetObject {
  readonly text: string | null;
  constructor(text: string | null) {
    this.text = text;
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.HashAlgorithmName`);
  }
  netToString(): string {
    return this.text ?? "";
  }
  netEquals(other: unknown): boolean {
    return other instanceof HashAlgorithmName && other.text === this.text;
  }
  netHashCode(): number {
    return this.text === null ? 0 : hashOf(this.text);
  }
}

const names: Record<string, () => HashAlgorithmName> = {};
for (const { name } of HASHES) {
  const value = new HashAlgorithmName(name);
  names[`static HashAlgorithmName ${name} { get; }`] = () => value;
}
defineType(
  `struct ${NAMESPACE}.HashAlgorithmName`,
  {
    ...names,
    "HashAlgorithmName(string name)": (name: string | null) => new HashAlgorithmName(name),
    "string Name { get; }": (name: HashAlgorithmName) => name.text,
    "string ToString()": (name: HashAlgorithmName) => name.netToString(),
    "bool Equals(HashAlgorithmName other)": (a: HashAlgorithmName, b: HashAlgorithmName) => a.text === b.text,
    "bool Equals(object obj)": (a: HashAlgorithmName, b: unknown) => a.netEquals(b),
    "int GetHashCode()": (name: HashAlgorithmName) => name.netHashCode(),
    "static bool operator ==(HashAlgorithmName left, HashAlgorithmName right)": (
      a: HashAlgorithmName,
      b: HashAlgorithmName,
    ) => a.text === b.text,
    "static bool operator !=(HashAlgorithmName left, HashAlgorithmName right)": (
      a: HashAlgorithmName,
      b: HashAlgorithmName,
    ) => a.text !== b.text,
  },
  { defaultValue: new HashAlgorithmName(null) },
);

/** A named constant of a padding class. */
class Padding implements NetObject {
  readonly type: string;
  readonly text: string;
  /** For OAEP. */
  readonly hash: string | null;
  constructor(type: string, text: string, hash: string | null = null) {
    this.type = type;
    this.text = text;
    this.hash = hash;
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.${this.type}`);
  }
  netToString(): string {
    return this.text;
  }
}

const PKCS1 = new Padding("RSASignaturePadding", "Pkcs1");
const PSS = new Padding("RSASignaturePadding", "Pss");
defineType(`class ${NAMESPACE}.RSASignaturePadding`, {
  "static RSASignaturePadding Pkcs1 { get; }": () => PKCS1,
  "static RSASignaturePadding Pss { get; }": () => PSS,
  "string ToString()": (padding: Padding) => padding.text,
  "static bool operator ==(RSASignaturePadding left, RSASignaturePadding right)": (a: unknown, b: unknown) =>
    a === b,
  "static bool operator !=(RSASignaturePadding left, RSASignaturePadding right)": (a: unknown, b: unknown) =>
    a !== b,
});

const encryptionPaddings: Record<string, () => Padding> = {};
const ENCRYPTION = "RSAEncryptionPadding";
for (const padding of [
  new Padding(ENCRYPTION, "Pkcs1"),
  new Padding(ENCRYPTION, "OaepSHA1", "sha1"),
  new Padding(ENCRYPTION, "OaepSHA256", "sha256"),
  new Padding(ENCRYPTION, "OaepSHA384", "sha384"),
  new Padding(ENCRYPTION, "OaepSHA512", "sha512"),
]) {
  encryptionPaddings[`static ${ENCRYPTION} ${padding.text} { get; }`] = () => padding;
}
defineType(`class ${NAMESPACE}.${ENCRYPTION}`, {
  ...encryptionPaddings,
  "string ToString()": (padding: Padding) => padding.text,
});

export class RsaKey implements NetObject {
  readonly #type: "RSA" | "RSACng";
  #public: KeyObject | null;
  #private: KeyObject | null;

  constructor(type: "RSA" | "RSACng", publicKey: KeyObject | null, privateKey: KeyObject | null) {
    this.#type = type;
    this.#public = publicKey;
    this.#private = privateKey;
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.${this.#type}`);
  }
  get publicKey(): KeyObject {
    if (this.#public === null) {
      throw cryptographic("This RSA object holds no key. Import one, or take it from a certificate.");
    }
    return this.#public;
  }
  get privateKey(): KeyObject {
    if (this.#private === null) {
      void this.publicKey;
      throw cryptographic("The key does not exist: this RSA object holds only a public key.");
    }
    return this.#private;
  }
  get bits(): number {
    return this.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  }
  import(make: () => KeyObject): void {
    let key: KeyObject;
    try {
      key = make();
    } catch {
      throw cryptographic("The key could not be read.");
    }
    if (key.asymmetricKeyType !== "rsa") throw cryptographic("The key is not an RSA key.");
    this.#private = key.type === "private" ? key : null;
    this.#public = key.type === "private" ? createPublicKey(key) : key;
  }
  dispose(): void {
    this.#public = this.#private = null;
  }
}

function hashFor(name: HashAlgorithmName): HashFunction {
  if (name.text === null || name.text === "") {
    throw argumentError("The hash algorithm name cannot be null or empty.", "hashAlgorithm");
  }
  const found = HASHES.find((hash) => hash.name === name.text!.toUpperCase());
  if (found === undefined) throw cryptographic(`'${name.text}' is not a known hash algorithm.`);
  return found;
}

function needPadding(padding: Padding | null): Padding {
  if (padding === null) throw argumentNull("padding");
  return padding;
}

function needBytes(bytes: Uint8Array | null, parameter: string): Uint8Array {
  if (bytes === null) throw argumentNull(parameter);
  return bytes;
}

/** Options of Node for a key and a signature padding. */
function signing(key: KeyObject, padding: Padding | null) {
  return needPadding(padding) === PSS
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key, padding: constants.RSA_PKCS1_PADDING };
}

function signData(
  rsa: RsaKey,
  data: Uint8Array | null,
  name: HashAlgorithmName,
  padding: Padding | null,
): Uint8Array {
  const bytes = needBytes(data, "data");
  spend(PRIVATE_COST + (bytes.length >>> 10));
  const hash = hashFor(name);
  return attempt(() => sign(hash.native, bytes, signing(rsa.privateKey, padding)));
}

function verifyData(
  rsa: RsaKey,
  data: Uint8Array | null,
  signature: Uint8Array | null,
  name: HashAlgorithmName,
  padding: Padding | null,
): boolean {
  const bytes = needBytes(data, "data");
  spend(PUBLIC_COST + (bytes.length >>> 10));
  const proof = needBytes(signature, "signature");
  return verify(hashFor(name).native, bytes, signing(rsa.publicKey, padding), proof);
}

/** Node's failures carry OpenSSL's words; they become .NET's exception without them. */
function attempt(run: () => Uint8Array): Uint8Array {
  try {
    return plainBytes(run());
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw cryptographic("The parameter is incorrect.");
  }
}

/** DigestInfo headers of RFC 8017 §9.2. */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  md5: "3020300c06082a864886f70d020505000410",
  sha1: "3021300906052b0e03021a05000414",
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

function digestInfo(hash: HashFunction, digest: Uint8Array): Uint8Array {
  if (digest.length * 8 !== hash.bits) {
    throw cryptographic(`The hash has ${digest.length} octets, but ${hash.name} makes ${hash.bits / 8}.`);
  }
  const head = DIGEST_INFO[hash.native]!.match(/../g)!.map((hex) => Number.parseInt(hex, 16));
  return new Uint8Array([...head, ...digest]);
}

function signHash(
  rsa: RsaKey,
  digest: Uint8Array | null,
  name: HashAlgorithmName,
  padding: Padding | null,
): Uint8Array {
  const hash = hashFor(name);
  const info = digestInfo(hash, needBytes(digest, "hash"));
  const key = rsa.privateKey;
  spend(PRIVATE_COST);
  if (needPadding(padding) === PSS) {
    const encoded = encodePss(digest!, hash, rsa.bits - 1);
    const block = new Uint8Array(Math.ceil(rsa.bits / 8));
    block.set(encoded, block.length - encoded.length);
    return attempt(() => privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block));
  }
  return attempt(() => privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info));
}

function verifyHash(
  rsa: RsaKey,
  digest: Uint8Array | null,
  signature: Uint8Array | null,
  name: HashAlgorithmName,
  padding: Padding | null,
): boolean {
  const hash = hashFor(name);
  const info = digestInfo(hash, needBytes(digest, "hash"));
  const proof = needBytes(signature, "signature");
  const pss = needPadding(padding) === PSS;
  const key = rsa.publicKey;
  spend(PUBLIC_COST);
  let found: Uint8Array;
  try {
    found = publicDecrypt(
      { key, padding: pss ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING },
      proof,
    );
  } catch {
    return false;
  }
  if (pss) return verifyPss(digest!, hash, found, rsa.bits - 1);
  return found.length === info.length && info.every((byte, i) => byte === found[i]);
}

/** RFC 8017 §B.2.1. */
function maskFrom(seed: Uint8Array, length: number, hash: HashFunction): Uint8Array {
  const size = hash.bits / 8;
  const mask = new Uint8Array(Math.ceil(length / size) * size);
  for (let counter = 0; counter * size < length; counter++) {
    const block = new Uint8Array([
      ...seed,
      counter >>> 24,
      (counter >>> 16) & 255,
      (counter >>> 8) & 255,
      counter & 255,
    ]);
    mask.set(digestOf(hash.native, block, "buffer"), counter * size);
  }
  return mask.subarray(0, length);
}

function saltedHash(digest: Uint8Array, salt: Uint8Array, hash: HashFunction): Uint8Array {
  return digestOf(hash.native, new Uint8Array([...new Uint8Array(8), ...digest, ...salt]), "buffer");
}

/** RFC 8017 §9.1.1, salt as long as the hash. */
function encodePss(digest: Uint8Array, hash: HashFunction, bits: number): Uint8Array {
  const size = hash.bits / 8;
  const length = Math.ceil(bits / 8);
  if (length < size * 2 + 2) throw cryptographic("The key is too small for the requested operation.");
  const salt = randomFillSync(new Uint8Array(size));
  const h = saltedHash(digest, salt, hash);
  const db = new Uint8Array(length - size - 1);
  db[db.length - size - 1] = 1;
  db.set(salt, db.length - size);
  const mask = maskFrom(h, db.length, hash);
  for (let i = 0; i < db.length; i++) db[i] = db[i]! ^ mask[i]!;
  db[0] = db[0]! & (255 >>> (8 * length - bits));
  return new Uint8Array([...db, ...h, 0xbc]);
}

/** RFC 8017 §9.1.2. */
function verifyPss(digest: Uint8Array, hash: HashFunction, block: Uint8Array, bits: number): boolean {
  const size = hash.bits / 8;
  const length = Math.ceil(bits / 8);
  const encoded = block.subarray(block.length - length);
  if (length < size * 2 + 2 || encoded[length - 1] !== 0xbc) return false;
  if (block.subarray(0, block.length - length).some((byte) => byte !== 0)) return false;
  const h = encoded.subarray(length - size - 1, length - 1);
  const mask = maskFrom(h, length - size - 1, hash);
  const db = mask.map((byte, i) => byte ^ encoded[i]!);
  db[0] = db[0]! & (255 >>> (8 * length - bits));
  const zeros = db.length - size - 1;
  if (db.subarray(0, zeros).some((byte) => byte !== 0) || db[zeros] !== 1) return false;
  return saltedHash(digest, db.subarray(zeros + 1), hash).every((byte, i) => byte === h[i]);
}

function encryption(key: KeyObject, padding: Padding | null) {
  const { hash } = needPadding(padding);
  return hash === null
    ? { key, padding: constants.RSA_PKCS1_PADDING }
    : { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
}

/** `<RSAKeyValue><Modulus>…` as ToXmlString writes it. */
function keyFromXml(text: string | null): KeyObject {
  if (text === null) throw argumentNull("xmlString");
  const part = (name: string): string | undefined => {
    const found = new RegExp(`<${name}>([A-Za-z0-9+/=\\s]*)</${name}>`).exec(text)?.[1];
    return found?.replace(/\s/g, "").replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  };
  const jwk = { kty: "RSA", n: part("Modulus"), e: part("Exponent") };
  const d = part("D");
  if (d === undefined) return createPublicKey({ key: jwk, format: "jwk" });
  const full = {
    ...jwk,
    d,
    p: part("P"),
    q: part("Q"),
    dp: part("DP"),
    dq: part("DQ"),
    qi: part("InverseQ"),
  };
  return createPrivateKey({ key: full, format: "jwk" });
}

const importer =
  (type: "pkcs8" | "pkcs1" | "spki", isPrivate: boolean) => (rsa: RsaKey, source: Uint8Array | null) => {
    const key = Buffer.from(needBytes(source, "source"));
    spend(PUBLIC_COST);
    rsa.import(() =>
      isPrivate
        ? createPrivateKey({ key, format: "der", type: type as "pkcs8" | "pkcs1" })
        : createPublicKey({ key, format: "der", type: type as "pkcs1" | "spki" }),
    );
  };

const members: Members = {
  "static RSA Create()": () => new RsaKey("RSA", null, null),
  "byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)": signData,
  "byte[] SignData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)":
    (
      rsa: RsaKey,
      data: Uint8Array | null,
      offset: number,
      count: number,
      name: HashAlgorithmName,
      padding: Padding | null,
    ) => signData(rsa, slice(data, offset, count, "data"), name, padding),
  "bool VerifyData(byte[] data, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)":
    verifyData,
  "bool VerifyData(byte[] data, int offset, int count, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)":
    (
      rsa: RsaKey,
      data: Uint8Array | null,
      offset: number,
      count: number,
      signature: Uint8Array | null,
      name: HashAlgorithmName,
      padding: Padding | null,
    ) => verifyData(rsa, slice(data, offset, count, "data"), signature, name, padding),
  "byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)": signHash,
  "bool VerifyHash(byte[] hash, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)":
    verifyHash,
  "byte[] Encrypt(byte[] data, RSAEncryptionPadding padding)": (
    rsa: RsaKey,
    data: Uint8Array | null,
    padding: Padding | null,
  ) => {
    const bytes = needBytes(data, "data");
    spend(PUBLIC_COST);
    return attempt(() => publicEncrypt(encryption(rsa.publicKey, padding), bytes));
  },
  "byte[] Decrypt(byte[] data, RSAEncryptionPadding padding)": (
    rsa: RsaKey,
    data: Uint8Array | null,
    padding: Padding | null,
  ) => {
    const bytes = needBytes(data, "data");
    spend(PRIVATE_COST);
    return attempt(() => privateDecrypt(encryption(rsa.privateKey, padding), bytes));
  },
  "void FromXmlString(string xmlString)": (rsa: RsaKey, text: string | null) =>
    rsa.import(() => keyFromXml(text)),
  "void ImportPkcs8PrivateKey(byte[] source)": importer("pkcs8", true),
  "void ImportRSAPrivateKey(byte[] source)": importer("pkcs1", true),
  "void ImportRSAPublicKey(byte[] source)": importer("pkcs1", false),
  "void ImportSubjectPublicKeyInfo(byte[] source)": importer("spki", false),
  "void ImportFromPem(string input)": (rsa: RsaKey, text: string | null) => {
    if (text === null) throw argumentNull("input");
    rsa.import(() => (text.includes("PRIVATE KEY") ? createPrivateKey(text) : createPublicKey(text)));
  },
};

defineType(`class ${NAMESPACE}.AsymmetricAlgorithm : System.IDisposable`, {
  "int KeySize { get; }": (rsa: RsaKey) => rsa.bits,
  "string SignatureAlgorithm { get; }": () => "RSA",
  "string KeyExchangeAlgorithm { get; }": () => "RSA",
  "void Clear()": (rsa: RsaKey) => rsa.dispose(),
  "void Dispose()": (rsa: RsaKey) => rsa.dispose(),
});
defineType(`class ${NAMESPACE}.RSA : ${NAMESPACE}.AsymmetricAlgorithm`, members);
// What the key of a certificate is on .NET Framework. Published documents cast to it; it adds nothing that they use.
defineType(`class ${NAMESPACE}.RSACng : ${NAMESPACE}.RSA`, {});
