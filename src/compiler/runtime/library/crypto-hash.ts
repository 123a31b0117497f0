/**
 * Hashes and keyed hashes (`expressions.md` §5.5) on the platform's own cryptography. Like in .NET an object can be
 * used again after each result. The crypto files are the only ones of the runtime that need Node.
 */
import { type Hash, createHash, createHmac, randomFillSync } from "node:crypto";
import { checkBytes, spend } from "../budget.ts";
import { type Members, accessor, defineType } from "../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, typeNamed } from "../values.ts";

/** What differs between hash functions. */
export interface HashFunction {
  /** .NET: `SHA256`. */
  readonly name: string;
  /** OpenSSL: `sha256`. */
  readonly native: string;
  readonly bits: number;
  /** Octets of a random HMAC key. */
  readonly keySize: number;
}

export const HASHES: readonly HashFunction[] = [
  { name: "MD5", native: "md5", bits: 128, keySize: 64 },
  { name: "SHA1", native: "sha1", bits: 160, keySize: 64 },
  { name: "SHA256", native: "sha256", bits: 256, keySize: 64 },
  { name: "SHA384", native: "sha384", bits: 384, keySize: 128 },
  { name: "SHA512", native: "sha512", bits: 512, keySize: 128 },
];

export const cryptographic = (message: string): NetException =>
  new NetException("System.Security.Cryptography.CryptographicException", message);

/** A buffer of Node as the plain array that a policy may see. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

class HashObject implements NetObject {
  readonly type: string;
  readonly hash: HashFunction;
  /** null: not keyed. */
  #key: Uint8Array | null;
  #running: Hash | null = null;
  #result: Uint8Array | null = null;
  #disposed = false;

  constructor(type: string, hash: HashFunction, key: Uint8Array | null) {
    this.type = type;
    this.hash = hash;
    this.#key = key === null ? null : plainBytes(key);
  }
  get [TYPE](): Type {
    return typeNamed(`System.Security.Cryptography.${this.type}`);
  }
  get key(): Uint8Array {
    return plainBytes(this.#key!);
  }
  setKey(key: Uint8Array | null): void {
    if (key === null) throw argumentNull("value");
    if (this.#running !== null)
      throw cryptographic("Hash key cannot be changed after the first write to the stream.");
    this.#key = plainBytes(key);
  }
  get result(): Uint8Array | null {
    this.#check();
    return this.#result === null ? null : plainBytes(this.#result);
  }
  dispose(): void {
    this.#disposed = true;
    this.#key?.fill(0);
  }
  #check(): void {
    if (this.#disposed) {
      throw new NetException("System.ObjectDisposedException", "Cannot access a disposed object.");
    }
  }
  #start(): Hash {
    this.#check();
    const { native } = this.hash;
    // An HMAC and a hash are the same to us: update and digest.
    return (this.#running ??=
      this.#key === null ? createHash(native) : (createHmac(native, this.#key) as unknown as Hash));
  }
  initialize(): void {
    this.#check();
    this.#running = null;
    this.#result = null;
  }
  update(bytes: Uint8Array): void {
    spend(1 + (bytes.length >>> 10));
    this.#start().update(bytes);
  }
  finish(): Uint8Array {
    this.#result = plainBytes(this.#start().digest());
    this.#running = null;
    return plainBytes(this.#result);
  }
  compute(bytes: Uint8Array | null): Uint8Array {
    if (bytes === null) throw argumentNull("buffer");
    this.update(bytes);
    return this.finish();
  }
}

/** The part of a buffer. */
export function slice(
  bytes: Uint8Array | null,
  offset: number,
  count: number,
  parameter = "buffer",
): Uint8Array {
  if (bytes === null) throw argumentNull(parameter);
  if (offset < 0) throw argumentOutOfRange("offset", "Non-negative number required.");
  if (count < 0 || count > bytes.length) throw argumentError("Value was invalid.");
  if (offset + count > bytes.length) {
    throw argumentError(
      "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.",
    );
  }
  return bytes.subarray(offset, offset + count);
}

function transformBlock(
  object: HashObject,
  input: Uint8Array | null,
  offset: number,
  count: number,
  output: Uint8Array | null,
  outputOffset: number,
): number {
  const part = slice(input, offset, count, "inputBuffer");
  object.update(part);
  if (output !== null && (output !== input || outputOffset !== offset)) {
    if (outputOffset < 0 || outputOffset + count > output.length) throw argumentOutOfRange("outputOffset");
    output.set(part, outputOffset);
  }
  return count;
}

/** A fresh object of a .NET type by its name; null when there is none. */
export function createHashObject(type: string): HashObject | null {
  const short = type.replace(/^System\.Security\.Cryptography\./, "");
  const keyed = /^HMAC(MD5|SHA1|SHA256|SHA384|SHA512)$/i.exec(short);
  const plain = /^(MD5|SHA-?1|SHA-?256|SHA-?384|SHA-?512|SHA)(?:Managed|CryptoServiceProvider|Cng)?$/i.exec(
    short,
  );
  const name = (keyed?.[1] ?? plain?.[1] ?? "").toUpperCase().replace("-", "").replace(/^SHA$/, "SHA1");
  const hash = HASHES.find((candidate) => candidate.name === name);
  if (hash === undefined) return null;
  return keyed === null ? new HashObject(hash.name, hash, null) : keyedObject(hash);
}

function keyedObject(hash: HashFunction, key: Uint8Array | null = null): HashObject {
  return new HashObject(`HMAC${hash.name}`, hash, key ?? randomFillSync(new Uint8Array(hash.keySize)));
}

/** `X.Create(name)`: an object of that family or null. */
function createNamed(family: (type: string) => boolean): (name: string | null) => HashObject | null {
  return (name) => {
    if (name === null) throw argumentNull("hashName");
    const object = createHashObject(name);
    return object !== null && family(object.type) ? object : null;
  };
}

const NAMESPACE = "System.Security.Cryptography";

defineType(
  "interface System.Security.Cryptography.ICryptoTransform : System.IDisposable",
  {
    "int InputBlockSize { get; }": (transform: CryptoTransform) => transform.inputBlockSize,
    "int OutputBlockSize { get; }": (transform: CryptoTransform) => transform.inputBlockSize,
    "bool CanReuseTransform { get; }": () => true,
    "bool CanTransformMultipleBlocks { get; }": () => true,
    "int TransformBlock(byte[] inputBuffer, int inputOffset, int inputCount, byte[] outputBuffer, int outputOffset)":
      (
        transform: CryptoTransform,
        input: Uint8Array | null,
        offset: number,
        count: number,
        output: Uint8Array | null,
        outputOffset: number,
      ) => transform.transformBlock(slice(input, offset, count, "inputBuffer"), output, outputOffset),
    "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)": (
      transform: CryptoTransform,
      input: Uint8Array | null,
      offset: number,
      count: number,
    ) => transform.transformFinalBlock(slice(input, offset, count, "inputBuffer")),
  },
  { nameable: false },
);

/** What an encryptor or decryptor does. */
export interface CryptoTransform extends NetObject {
  readonly inputBlockSize: number;
  transformBlock(input: Uint8Array, output: Uint8Array | null, outputOffset: number): number;
  transformFinalBlock(input: Uint8Array): Uint8Array;
}

const hashMembers: Members = {
  "static HashAlgorithm Create(string hashName)": createNamed(() => true),
  "byte[] ComputeHash(byte[] buffer)": (object: HashObject, bytes: Uint8Array | null) =>
    object.compute(bytes),
  "byte[] ComputeHash(byte[] buffer, int offset, int count)": (
    object: HashObject,
    bytes: Uint8Array | null,
    offset: number,
    count: number,
  ) => object.compute(slice(bytes, offset, count)),
  "int TransformBlock(byte[] inputBuffer, int inputOffset, int inputCount, byte[] outputBuffer, int outputOffset)":
    transformBlock,
  "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)": (
    object: HashObject,
    input: Uint8Array | null,
    offset: number,
    count: number,
  ) => {
    const part = slice(input, offset, count, "inputBuffer");
    object.update(part);
    object.finish();
    return plainBytes(part);
  },
  "byte[] Hash { get; }": (object: HashObject) => object.result,
  "int HashSize { get; }": (object: HashObject) => object.hash.bits,
  "int InputBlockSize { get; }": () => 1,
  "int OutputBlockSize { get; }": () => 1,
  "bool CanReuseTransform { get; }": () => true,
  "bool CanTransformMultipleBlocks { get; }": () => true,
  "void Initialize()": (object: HashObject) => object.initialize(),
  "void Clear()": (object: HashObject) => object.dispose(),
  "void Dispose()": (object: HashObject) => object.dispose(),
};
defineType(`class ${NAMESPACE}.HashAlgorithm : System.IDisposable`, hashMembers);
defineType(`class ${NAMESPACE}.KeyedHashAlgorithm : ${NAMESPACE}.HashAlgorithm`, {
  "static KeyedHashAlgorithm Create(string algName)": createNamed((type) => type.startsWith("HMAC")),
  "byte[] Key { get; set; }": accessor(
    (object: HashObject) => object.key,
    (object: HashObject, key: Uint8Array | null) => object.setKey(key),
  ),
});
defineType(`class ${NAMESPACE}.HMAC : ${NAMESPACE}.KeyedHashAlgorithm`, {
  "static HMAC Create(string algorithmName)": createNamed((type) => type.startsWith("HMAC")),
  "string HashName { get; }": (object: HashObject) => object.hash.name,
});

/** `HashData(source)` of a hash type, in one step. */
function hashData(hash: HashFunction, bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw argumentNull("source");
  spend(1 + (bytes.length >>> 10));
  checkBytes(bytes.length);
  return plainBytes(createHash(hash.native).update(bytes).digest());
}

for (const hash of HASHES) {
  const { name } = hash;
  const family = (type: string): boolean => type === name;
  defineType(`class ${NAMESPACE}.${name} : ${NAMESPACE}.HashAlgorithm`, {
    [`static ${name} Create()`]: () => new HashObject(name, hash, null),
    [`static ${name} Create(string hashName)`]: createNamed(family),
    "static byte[] HashData(byte[] source)": (bytes: Uint8Array | null) => hashData(hash, bytes),
  });
  if (name !== "MD5") {
    defineType(`class ${NAMESPACE}.${name}Managed : ${NAMESPACE}.${name}`, {
      [`${name}Managed()`]: () => new HashObject(`${name}Managed`, hash, null),
    });
  }
  const keyed = `HMAC${name}`;
  defineType(`class ${NAMESPACE}.${keyed} : ${NAMESPACE}.HMAC`, {
    [`${keyed}()`]: () => keyedObject(hash),
    [`${keyed}(byte[] key)`]: (key: Uint8Array | null) => {
      if (key === null) throw argumentNull("key");
      return keyedObject(hash, key);
    },
    [`static byte[] HashData(byte[] key, byte[] source)`]: (
      key: Uint8Array | null,
      bytes: Uint8Array | null,
    ) => {
      if (key === null) throw argumentNull("key");
      return new HashObject(keyed, hash, key).compute(bytes);
    },
  });
}
