/**
 * A vector of length one that points the same way.
 *
 * @returns null when there is no such thing: no or too many dimensions, zeros only, or what is no number among them
 */
export function unitVector(vector: Float32Array): Float32Array | null {
  if (vector.length === 0 || vector.length > MOST_DIMENSIONS) return null;
  let largest = 0;
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i]!);
    if (!(size <= LARGEST_FLOAT)) return null;
    if (size > largest) largest = size;
  }
  if (largest === 0) return null;
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i]! / largest;
    sum += value * value;
  }
  const scale = 1 / Math.sqrt(sum);
  const unit = new Float32Array(vector.length);
  for (let i = 0; i < vector.length; i++) unit[i] = (vector[i]! / largest) * scale;
  return unit;
}

/** More than any embedding has. */
export const MOST_DIMENSIONS = 16_384;
const LARGEST_FLOAT = 3.4028234663852886e38;

/** Of two vectors of length one and the same dimensions; 0 to 2. */
export function distanceOf(a: Float32Array, b: Float32Array): number {
  let one = 0;
  let two = 0;
  let three = 0;
  let four = 0;
  const whole = a.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    one += a[i]! * b[i]!;
    two += a[i + 1]! * b[i + 1]!;
    three += a[i + 2]! * b[i + 2]!;
    four += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) one += a[i]! * b[i]!;
  return Math.min(2, Math.max(0, 1 - (one + two + three + four)));
}

/** What rounding to 32 bits may add to a distance: two that differ by less are the same. */
export const ROUNDING = 1e-6;
