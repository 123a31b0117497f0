/** Vectors as octets: a quarter of the memory, and four times as fast to compare; how far they may be off is known. */

export interface Code {
  /** `round(127 · x / max|x|)`, padded with zeros to a multiple of 16. */
  readonly octets: Int8Array;
  /** What an octet's unit is worth. */
  readonly scale: number;
  /** Length of the difference between the vector and what its code says. */
  readonly error: number;
}

export function paddedLength(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 16;
}

/** @param unit of length one */
export function encode(unit: Float32Array): Code {
  let largest = 0;
  for (let i = 0; i < unit.length; i++) largest = Math.max(largest, Math.abs(unit[i]!));
  const scale = Math.fround(largest / 127);
  const octets = new Int8Array(paddedLength(unit.length));
  let sum = 0;
  for (let i = 0; i < unit.length; i++) {
    const octet = Math.round(unit[i]! / scale);
    octets[i] = octet;
    const off = unit[i]! - octet * scale;
    sum += off * off;
  }
  return { octets, scale, error: Math.sqrt(sum) };
}

/**
 * How far the product of two codes may be from the product of their vectors: with x = x' + e and y = y' + f,
 * x·y − x'·y' = x'·f + e·y' + e·f, and |x'| ≤ 1 + |e|.
 */
export function uncertainty(e: number, f: number): number {
  return (1 + e) * f + e * (1 + f) + e * f + ARITHMETIC;
}

/** Sums in 32 bits, lengths that are not quite one. */
const ARITHMETIC = 4e-6;
