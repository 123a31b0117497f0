/**
 * Block ciphers: `SymmetricAlgorithm` and the gateway's `bytes.Encrypt(…)` / `Decrypt(…)`. AES is always there;
 * TripleDES only where an administrator allows weak ciphers; DES and RC2 never.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";
import { checkBytes, spend } from "../budget.ts";
import { type Members, accessor, defineType, withFacts } from "../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import type { Type } from "../type.ts";
import { type EnumValue, type NetObject, TYPE, enumValue, typeNamed } from "../values.ts";
import { type CryptoTransform, cryptographic, plainBytes } from "./crypto-hash.ts";

let weakAllowed = false;

/** Whether TripleDES may be used; off unless the gateway's settings say otherwise. */
export function allowWeakCiphers(allowed: boolean): void {
  weakAllowed = allowed;
}

interface Cipher {
  readonly name: "Aes" | "TripleDES";
  /** Octets. */
  readonly blockSize: number;
  /** Octets of a key, and what OpenSSL calls the cipher then. */
  readonly keys: ReadonlyMap<number, string>;
}

const AES: Cipher = {
  name: "Aes",
  blockSize: 16,
  keys: new Map([
    [16, "aes-128"],
    [24, "aes-192"],
    [32, "aes-256"],
  ]),
};
const TRIPLE_DES: Cipher = {
  name: "TripleDES",
  blockSize: 8,
  keys: new Map([
    [16, "des-ede"],
    [24, "des-ede3"],
  ]),
};

const NAMES: ReadonlyMap<string, Cipher | null> = new Map<string, Cipher | null>([
  ["aes", AES],
  ["aesmanaged", AES],
  ["aescng", AES],
  ["aescryptoserviceprovider", AES],
  ["rijndael", AES],
  ["rijndaelmanaged", AES],
  ["tripledes", TRIPLE_DES],
  ["3des", TRIPLE_DES],
  ["triple des", TRIPLE_DES],
  ["tripledescryptoserviceprovider", TRIPLE_DES],
  ["des", null],
  ["descryptoserviceprovider", null],
  ["rc2", null],
  ["rc2cryptoserviceprovider", null],
]);

/** undefined: unknown; null: known and never allowed. */
function cipherNamed(name: string): Cipher | null | undefined {
  return NAMES.get(name.toLowerCase().replace(/^system\.security\.cryptography\./, ""));
}

function problemOf(name: string): string | null {
  const cipher = cipherNamed(name);
  if (cipher === undefined) return `'${name}' is not a known cipher; use 'Aes'.`;
  if (cipher === null || (cipher === TRIPLE_DES && !weakAllowed))
    return `The cipher '${name}' is too weak; use 'Aes'.`;
  return null;
}

function requireCipher(name: string): Cipher {
  const problem = problemOf(name);
  if (problem !== null) throw cryptographic(problem);
  return cipherNamed(name)!;
}

/** A cipher named by a constant is checked when the policy is saved. */
function verifyName(args: readonly unknown[]): string | null {
  const name = args.find((arg) => typeof arg === "string");
  return name === undefined ? null : problemOf(name as string);
}

/** Numbers of CipherMode and PaddingMode. */
const CBC = 1;
const ECB = 2;
const OFB = 3;
const CFB = 4;
const NONE = 1;
const PKCS7 = 2;
const ZEROS = 3;
const ANSIX923 = 4;
const ISO10126 = 5;
const MODES: ReadonlyMap<number, string> = new Map([
  [CBC, "cbc"],
  [ECB, "ecb"],
  [OFB, "ofb"],
  [CFB, "cfb8"],
]);

defineType("enum System.Security.Cryptography.CipherMode", {}, { values: { CBC, ECB, OFB, CFB, CTS: 5 } });
defineType(
  "enum System.Security.Cryptography.PaddingMode",
  {},
  {
    values: { None: NONE, PKCS7, Zeros: ZEROS, ANSIX923, ISO10126 },
  },
);

class SymmetricAlgorithm implements NetObject {
  readonly cipher: Cipher;
  mode = CBC;
  padding = PKCS7;
  keySize: number;
  #key: Uint8Array | null = null;
  #iv: Uint8Array | null = null;

  constructor(cipher: Cipher) {
    this.cipher = cipher;
    this.keySize = Math.max(...cipher.keys.keys()) * 8;
  }
  get [TYPE](): Type {
    return typeNamed("System.Security.Cryptography.SymmetricAlgorithm");
  }
  netToString(): string {
    return `System.Security.Cryptography.${this.cipher.name}`;
  }
  get key(): Uint8Array {
    return plainBytes((this.#key ??= randomFillSync(new Uint8Array(this.keySize / 8))));
  }
  setKey(key: Uint8Array | null): void {
    if (key === null) throw argumentNull("value");
    if (!this.cipher.keys.has(key.length))
      throw cryptographic("Specified key is not a valid size for this algorithm.");
    this.#key = plainBytes(key);
    this.keySize = key.length * 8;
  }
  setKeySize(bits: number): void {
    if (!this.cipher.keys.has(bits / 8))
      throw cryptographic("Specified key is not a valid size for this algorithm.");
    this.keySize = bits;
    this.#key = null;
  }
  get iv(): Uint8Array {
    return plainBytes((this.#iv ??= randomFillSync(new Uint8Array(this.cipher.blockSize))));
  }
  setIv(iv: Uint8Array | null): void {
    if (iv === null) throw argumentNull("value");
    if (iv.length !== this.cipher.blockSize) {
      throw cryptographic(
        "Specified initialization vector (IV) does not match the block size for this algorithm.",
      );
    }
    this.#iv = plainBytes(iv);
  }
  renewKey(): void {
    this.#key = randomFillSync(new Uint8Array(this.keySize / 8));
  }
  renewIv(): void {
    this.#iv = randomFillSync(new Uint8Array(this.cipher.blockSize));
  }
  dispose(): void {
    this.#key?.fill(0);
    this.#key = this.#iv = null;
  }
}

/** An encryptor or decryptor. Blocks are collected and worked on at the end, which no caller can tell. */
class Transform implements CryptoTransform {
  readonly inputBlockSize: number;
  readonly #run: (input: Uint8Array) => Uint8Array;
  #held: Uint8Array[] = [];

  constructor(blockSize: number, run: (input: Uint8Array) => Uint8Array) {
    this.inputBlockSize = blockSize;
    this.#run = run;
  }
  get [TYPE](): Type {
    return typeNamed("System.Security.Cryptography.ICryptoTransform");
  }
  transformBlock(input: Uint8Array): number {
    spend();
    this.#held.push(plainBytes(input));
    return 0;
  }
  transformFinalBlock(input: Uint8Array): Uint8Array {
    const all = this.#held.length === 0 ? input : concat([...this.#held, input]);
    this.#held = [];
    return this.#run(all);
  }
  dispose(): void {
    this.#held = [];
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  checkBytes(total);
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Settings {
  readonly cipher: Cipher;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly mode: number;
  readonly padding: number;
}

function nativeName({ cipher, key, mode }: Settings): string {
  const native = cipher.keys.get(key.length);
  if (native === undefined) throw cryptographic("Specified key is not a valid size for this algorithm.");
  return native === "des-ede" && mode === ECB ? "des-ede" : `${native}-${MODES.get(mode)!}`;
}

function checkIv({ cipher, iv, mode }: Settings): Uint8Array | null {
  if (mode === ECB) return null;
  if (iv.length !== cipher.blockSize) {
    throw cryptographic(
      "Specified initialization vector (IV) does not match the block size for this algorithm.",
    );
  }
  return iv;
}

function encrypt(settings: Settings, plain: Uint8Array): Uint8Array {
  pay(plain.length);
  const padded = pad(plain, settings.cipher.blockSize, settings.padding, settings.mode);
  const cipher = createCipheriv(nativeName(settings), settings.key, checkIv(settings)).setAutoPadding(false);
  return concat([cipher.update(padded), cipher.final()]);
}

function decrypt(settings: Settings, encrypted: Uint8Array): Uint8Array {
  pay(encrypted.length);
  const { blockSize } = settings.cipher;
  const stream = settings.mode === CFB || settings.mode === OFB;
  if (encrypted.length % blockSize !== 0 && (!stream || settings.padding !== NONE)) {
    throw cryptographic("The input data is not a complete block.");
  }
  const decipher = createDecipheriv(nativeName(settings), settings.key, checkIv(settings)).setAutoPadding(
    false,
  );
  return unpad(concat([decipher.update(encrypted), decipher.final()]), blockSize, settings.padding);
}

function pay(length: number): void {
  checkBytes(length + 32);
  spend(1 + (length >>> 10));
}

function pad(plain: Uint8Array, blockSize: number, padding: number, mode: number): Uint8Array {
  const over = plain.length % blockSize;
  if (padding === NONE) {
    if (over !== 0 && mode !== CFB && mode !== OFB) {
      throw cryptographic("The input data is not a complete block.");
    }
    return plain;
  }
  if (padding === ZEROS) return over === 0 ? plain : concat([plain, new Uint8Array(blockSize - over)]);
  const count = blockSize - over;
  const tail = new Uint8Array(count);
  if (padding === PKCS7) tail.fill(count);
  else if (padding === ISO10126) randomFillSync(tail);
  tail[count - 1] = count;
  return concat([plain, tail]);
}

function unpad(padded: Uint8Array, blockSize: number, padding: number): Uint8Array {
  if (padding === NONE || padding === ZEROS || padded.length === 0) return padded;
  const count = padded[padded.length - 1]!;
  const start = padded.length - count;
  let wrong = count === 0 || count > blockSize || start < 0 ? 1 : 0;
  if (wrong === 0 && padding !== ISO10126) {
    const filler = padding === PKCS7 ? count : 0;
    for (let i = start; i < padded.length - 1; i++) wrong |= padded[i]! ^ filler;
  }
  if (wrong !== 0) throw cryptographic("Padding is invalid and cannot be removed.");
  return padded.slice(0, start);
}

type Direction = (settings: Settings, input: Uint8Array) => Uint8Array;

function transformOf(
  algorithm: SymmetricAlgorithm,
  direction: Direction,
  key: Uint8Array | null = algorithm.key,
  iv: Uint8Array | null = algorithm.iv,
): Transform {
  if (key === null) throw argumentNull("rgbKey");
  if (iv === null && algorithm.mode !== ECB) throw argumentNull("rgbIV");
  const settings: Settings = {
    cipher: algorithm.cipher,
    key: plainBytes(key),
    iv: plainBytes(iv ?? new Uint8Array(0)),
    mode: algorithm.mode,
    padding: algorithm.padding,
  };
  if (!algorithm.cipher.keys.has(key.length)) {
    throw argumentError("Specified key is not a valid size for this algorithm.", "key");
  }
  checkIv(settings);
  return new Transform(algorithm.cipher.blockSize, (input) => direction(settings, input));
}

function enumNumber(value: EnumValue, known: (number: number) => boolean, what: string): number {
  if (!known(value.number)) throw cryptographic(`Specified ${what} mode is not valid for this algorithm.`);
  return value.number;
}

const cipherMode = (number: number): EnumValue =>
  enumValue(typeNamed("System.Security.Cryptography.CipherMode").definition, number);
const paddingMode = (number: number): EnumValue =>
  enumValue(typeNamed("System.Security.Cryptography.PaddingMode").definition, number);

const members: Members = {
  "static SymmetricAlgorithm Create(string algName)": withFacts(
    (name: string | null) => {
      if (name === null) throw argumentNull("algName");
      return cipherNamed(name) === undefined ? null : new SymmetricAlgorithm(requireCipher(name));
    },
    { verify: verifyName },
  ),
  "byte[] Key { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => algorithm.key,
    (algorithm: SymmetricAlgorithm, key: Uint8Array | null) => algorithm.setKey(key),
  ),
  "byte[] IV { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => algorithm.iv,
    (algorithm: SymmetricAlgorithm, iv: Uint8Array | null) => algorithm.setIv(iv),
  ),
  "int KeySize { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => algorithm.keySize,
    (algorithm: SymmetricAlgorithm, bits: number) => algorithm.setKeySize(bits),
  ),
  "int BlockSize { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => algorithm.cipher.blockSize * 8,
    (algorithm: SymmetricAlgorithm, bits: number) => {
      if (bits !== algorithm.cipher.blockSize * 8) {
        throw cryptographic("Specified block size is not valid for this algorithm.");
      }
    },
  ),
  "int FeedbackSize { get; set; }": accessor(
    () => 8,
    (_: SymmetricAlgorithm, bits: number) => {
      if (bits !== 8) throw cryptographic("Specified feedback size is not valid for this algorithm.");
    },
  ),
  "CipherMode Mode { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => cipherMode(algorithm.mode),
    (algorithm: SymmetricAlgorithm, mode: EnumValue) => {
      algorithm.mode = enumNumber(mode, (number) => MODES.has(number), "cipher");
    },
  ),
  "PaddingMode Padding { get; set; }": accessor(
    (algorithm: SymmetricAlgorithm) => paddingMode(algorithm.padding),
    (algorithm: SymmetricAlgorithm, padding: EnumValue) => {
      algorithm.padding = enumNumber(padding, (number) => number >= NONE && number <= ISO10126, "padding");
    },
  ),
  "bool ValidKeySize(int bitLength)": (algorithm: SymmetricAlgorithm, bits: number) =>
    algorithm.cipher.keys.has(bits / 8),
  "void GenerateKey()": (algorithm: SymmetricAlgorithm) => algorithm.renewKey(),
  "void GenerateIV()": (algorithm: SymmetricAlgorithm) => algorithm.renewIv(),
  "ICryptoTransform CreateEncryptor()": (algorithm: SymmetricAlgorithm) => transformOf(algorithm, encrypt),
  "ICryptoTransform CreateEncryptor(byte[] rgbKey, byte[] rgbIV)": (
    algorithm: SymmetricAlgorithm,
    key: Uint8Array | null,
    iv: Uint8Array | null,
  ) => transformOf(algorithm, encrypt, key, iv),
  "ICryptoTransform CreateDecryptor()": (algorithm: SymmetricAlgorithm) => transformOf(algorithm, decrypt),
  "ICryptoTransform CreateDecryptor(byte[] rgbKey, byte[] rgbIV)": (
    algorithm: SymmetricAlgorithm,
    key: Uint8Array | null,
    iv: Uint8Array | null,
  ) => transformOf(algorithm, decrypt, key, iv),
  "void Clear()": (algorithm: SymmetricAlgorithm) => algorithm.dispose(),
  "void Dispose()": (algorithm: SymmetricAlgorithm) => algorithm.dispose(),
};
defineType("class System.Security.Cryptography.SymmetricAlgorithm : System.IDisposable", members);

/** `bytes.Encrypt("Aes", key, iv)`: CBC, PKCS7. */
function byName(direction: Direction) {
  return withFacts(
    (input: Uint8Array | null, name: string | null, key: Uint8Array | null, iv: Uint8Array | null) => {
      if (input === null) throw argumentNull("input");
      if (name === null) throw argumentNull("alg");
      const algorithm = new SymmetricAlgorithm(requireCipher(name));
      return transformOf(algorithm, direction, key, iv).transformFinalBlock(input);
    },
    { verify: verifyName },
  );
}

function byInstance(direction: Direction) {
  return (
    input: Uint8Array | null,
    algorithm: SymmetricAlgorithm | null,
    key: Uint8Array | null,
    iv: Uint8Array | null,
  ) => {
    if (input === null) throw argumentNull("input");
    if (algorithm === null) throw argumentNull("alg");
    return transformOf(algorithm, direction, key, iv).transformFinalBlock(input);
  };
}

function own(direction: Direction) {
  return (input: Uint8Array | null, algorithm: SymmetricAlgorithm | null) => {
    if (input === null) throw argumentNull("input");
    if (algorithm === null) throw argumentNull("alg");
    return transformOf(algorithm, direction).transformFinalBlock(input);
  };
}

defineType(
  "static Gateway.CryptographyExtensions",
  {
    "static byte[] Encrypt(this byte[] input, string alg, byte[] key, byte[] iv)": byName(encrypt),
    "static byte[] Decrypt(this byte[] input, string alg, byte[] key, byte[] iv)": byName(decrypt),
    "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg)": own(encrypt),
    "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg)": own(decrypt),
    "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)":
      byInstance(encrypt),
    "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)":
      byInstance(decrypt),
  },
  { nameable: false },
);

/** RNGCryptoServiceProvider: octets from the platform's generator. */
class RandomNumberGenerator implements NetObject {
  get [TYPE](): Type {
    return typeNamed("System.Security.Cryptography.RNGCryptoServiceProvider");
  }
  dispose(): void {}
}

function fill(buffer: Uint8Array | null, zeros: boolean): void {
  if (buffer === null) throw argumentNull("data");
  spend(1 + (buffer.length >>> 10));
  randomFillSync(buffer);
  if (zeros) return;
  for (let i = 0; i < buffer.length; i++) while (buffer[i] === 0) randomFillSync(buffer, i, 1);
}

defineType("class System.Security.Cryptography.RNGCryptoServiceProvider : System.IDisposable", {
  "RNGCryptoServiceProvider()": () => new RandomNumberGenerator(),
  "void GetBytes(byte[] data)": (_: unknown, buffer: Uint8Array | null) => fill(buffer, true),
  "void GetBytes(byte[] data, int offset, int count)": (
    _: unknown,
    buffer: Uint8Array | null,
    offset: number,
    count: number,
  ) => {
    if (buffer === null) throw argumentNull("data");
    if (offset < 0) throw argumentOutOfRange("offset");
    if (count < 0) throw argumentOutOfRange("count");
    if (offset + count > buffer.length)
      throw new NetException(
        "System.ArgumentException",
        "Offset and length were out of bounds for the array.",
      );
    fill(buffer.subarray(offset, offset + count), true);
  },
  "void GetNonZeroBytes(byte[] data)": (_: unknown, buffer: Uint8Array | null) => fill(buffer, false),
  "void Dispose()": () => undefined,
});
