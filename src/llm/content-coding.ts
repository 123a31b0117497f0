/**
 * Content codings of answers, undone aside: the encoded octets that pass are kept up to a bound and decoded when the
 * answer is over. What was broken off is decoded as far as it goes; what cannot be decoded says nothing.
 */
import {
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  type InflateRaw,
  type ZstdDecompress,
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";

/** Encoded octets that are kept; an answer that is longer is not read. */
const MOST_ENCODED = 8 * 1024 * 1024;
/** Decoded octets of one answer (`reliability.md` A3: 50 MiB, and 100:1). */
const MOST_DECODED = 50 * 1024 * 1024;
const MOST_RATIO = 100;
/** Below this the ratio says nothing: a stream of short events is mostly repetition. */
const RATIO_FROM = 8 * 1024 * 1024;
/** Up to this many encoded octets are decoded at once, without leaving the loop. */
const SYNC_ENCODED = 32 * 1024;
const SYNC_DECODED = 1024 * 1024;
const MOST_CODINGS = 5;

/** Where decoded octets go. */
export interface Decoded {
  write(chunk: Uint8Array): void;
  end(): void | Promise<void>;
}

/** `gzip, br` → ["gzip", "br"]; no coding → []. */
export function codingsOf(header: string | null): readonly string[] {
  if (header === null) return NONE;
  const codings = header
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  return codings.length === 0 ? NONE : codings;
}

const NONE: readonly string[] = [];
const EMPTY: Buffer = Buffer.alloc(0);

export class Decoding {
  readonly #codings: readonly string[];
  readonly #into: Decoded;
  #encoded: Buffer = EMPTY;
  #length = 0;
  #unreadable: boolean;

  /** @param codings in the order in which they were applied */
  constructor(codings: readonly string[], into: Decoded) {
    this.#codings = codings;
    this.#into = into;
    this.#unreadable = codings.length > MOST_CODINGS || codings.some((name) => !(name in CODINGS));
  }

  /** @param chunk borrowed: it is copied */
  write(chunk: Uint8Array): void {
    if (this.#unreadable) return;
    const length = this.#length + chunk.length;
    if (length > MOST_ENCODED) {
      this.#unreadable = true;
      this.#encoded = EMPTY;
      return;
    }
    if (this.#encoded.length < length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#encoded.length * 2));
      this.#encoded.copy(grown, 0, 0, this.#length);
      this.#encoded = grown;
    }
    this.#encoded.set(chunk, this.#length);
    this.#length = length;
  }

  end(): void | Promise<void> {
    if (this.#unreadable || this.#length === 0) return this.#into.end();
    const encoded = this.#encoded.subarray(0, this.#length);
    this.#encoded = EMPTY;
    if (encoded.length <= SYNC_ENCODED) {
      try {
        this.#into.write(this.#atOnce(encoded));
        return this.#into.end();
      } catch {
        // Damaged, or large when decoded: what can be had is read aside.
      }
    }
    return this.#aside(encoded);
  }

  #atOnce(encoded: Buffer): Buffer {
    let octets = encoded;
    for (const name of this.#codings.toReversed()) octets = CODINGS[name]!.sync(octets, SYNC_DECODED);
    return octets;
  }

  async #aside(encoded: Buffer): Promise<void> {
    const most = Math.min(MOST_DECODED, Math.max(RATIO_FROM, encoded.length * MOST_RATIO));
    let octets: Buffer = encoded;
    const codings = this.#codings.toReversed();
    for (const [i, name] of codings.entries()) {
      const last = i === codings.length - 1;
      const pieces: Buffer[] = [];
      await decode(CODINGS[name]!.stream(octets), octets, most, (piece) => {
        if (last) this.#into.write(piece);
        else pieces.push(piece);
      });
      if (!last) octets = Buffer.concat(pieces);
    }
    await this.#into.end();
  }
}

type Decoder = Gunzip | Inflate | InflateRaw | BrotliDecompress | ZstdDecompress;

interface Coding {
  sync(octets: Buffer, most: number): Buffer;
  stream(octets: Buffer): Decoder;
}

/** Whole or broken off: what is there is given out. */
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI_FLUSH = { finishFlush: constants.BROTLI_OPERATION_FLUSH };
const ZSTD_FLUSH = { finishFlush: constants.ZSTD_e_flush };

const GZIP: Coding = {
  sync: (octets, most) => gunzipSync(octets, { ...FLUSH, maxOutputLength: most }),
  stream: () => createGunzip(FLUSH),
};

const CODINGS: Readonly<Record<string, Coding>> = {
  __proto__: null as never,
  gzip: GZIP,
  "x-gzip": GZIP,
  deflate: {
    sync: (octets, most) =>
      hasZlibHeader(octets)
        ? inflateSync(octets, { ...FLUSH, maxOutputLength: most })
        : inflateRawSync(octets, { ...FLUSH, maxOutputLength: most }),
    stream: (octets) => (hasZlibHeader(octets) ? createInflate(FLUSH) : createInflateRaw(FLUSH)),
  },
  br: {
    sync: (octets, most) => brotliDecompressSync(octets, { ...BROTLI_FLUSH, maxOutputLength: most }),
    stream: () => createBrotliDecompress(BROTLI_FLUSH),
  },
  zstd: {
    sync: (octets, most) => zstdDecompressSync(octets, { ...ZSTD_FLUSH, maxOutputLength: most }),
    stream: () => createZstdDecompress(ZSTD_FLUSH),
  },
};

/** RFC 1950: method 8, and the first two octets divisible by 31. Some servers send raw deflate under the name. */
function hasZlibHeader(octets: Buffer): boolean {
  return octets.length >= 2 && (octets[0]! & 0x0f) === 8 && octets.readUInt16BE(0) % 31 === 0;
}

/** Decodes until the end, a mistake or the bound; resolves in each case. */
function decode(
  decoder: Decoder,
  octets: Buffer,
  most: number,
  take: (piece: Buffer) => void,
): Promise<void> {
  return new Promise((resolve) => {
    let length = 0;
    decoder.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= most) take(piece);
      else decoder.destroy();
    });
    decoder.on("error", () => resolve());
    decoder.on("close", resolve);
    decoder.on("end", resolve);
    decoder.end(octets);
  });
}
