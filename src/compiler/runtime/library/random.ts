/**
 * System.Random. With a seed it is Knuth's subtractive generator, number for number what .NET gives; without one it
 * is seeded from the platform's generator.
 */
import { spend } from "../budget.ts";
import { defineType } from "../define.ts";
import { argumentNull, argumentOutOfRange } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, typeNamed } from "../values.ts";

const MAX_INT = 0x7fffffff;
const SEED = 161803398;

export class Random implements NetObject {
  readonly #table = new Int32Array(56);
  #next = 0;
  #nextp = 21;

  constructor(seed: number) {
    const table = this.#table;
    let last = SEED - (seed === -0x80000000 ? MAX_INT : Math.abs(seed));
    table[55] = last;
    let k = 1;
    for (let i = 1; i < 55; i++) {
      const at = (21 * i) % 55;
      table[at] = k;
      k = (last - k) | 0;
      if (k < 0) k += MAX_INT;
      last = table[at]!;
    }
    for (let round = 1; round < 5; round++) {
      for (let i = 1; i < 56; i++) {
        const value = (table[i]! - table[1 + ((i + 30) % 55)]!) | 0;
        table[i] = value < 0 ? value + MAX_INT : value;
      }
    }
  }

  get [TYPE](): Type {
    return typeNamed("System.Random");
  }

  /** 0 … Int32.MaxValue - 1 */
  sample(): number {
    const table = this.#table;
    this.#next = this.#next >= 55 ? 1 : this.#next + 1;
    this.#nextp = this.#nextp >= 55 ? 1 : this.#nextp + 1;
    let value = (table[this.#next]! - table[this.#nextp]!) | 0;
    if (value === MAX_INT) value--;
    if (value < 0) value += MAX_INT;
    return (table[this.#next] = value);
  }

  /** [0, 1) */
  fraction(): number {
    return this.sample() * (1 / MAX_INT);
  }

  between(min: number, max: number): number {
    if (min > max) throw argumentOutOfRange("minValue", "'minValue' cannot be greater than maxValue.");
    const range = max - min;
    if (range <= MAX_INT) return Math.trunc(this.fraction() * range) + min;
    // Two samples for a range wider than one, the sign from the second one's parity.
    const first = this.sample();
    const wide = ((this.sample() % 2 === 0 ? -first : first) + (MAX_INT - 1)) / (2 * MAX_INT - 1);
    return Math.trunc(wide * range) + min;
  }
}

function unseeded(): Random {
  return new Random(crypto.getRandomValues(new Int32Array(1))[0]!);
}

defineType("class System.Random", {
  "Random()": unseeded,
  "Random(int Seed)": (seed: number) => new Random(seed),
  "int Next()": (random: Random) => random.sample(),
  "int Next(int maxValue)": (random: Random, max: number) => {
    if (max < 0) throw argumentOutOfRange("maxValue", "'maxValue' must be greater than zero.");
    return Math.trunc(random.fraction() * max);
  },
  "int Next(int minValue, int maxValue)": (random: Random, min: number, max: number) =>
    random.between(min, max),
  "double NextDouble()": (random: Random) => random.fraction(),
  "void NextBytes(byte[] buffer)": (random: Random, buffer: Uint8Array | null) => {
    if (buffer === null) throw argumentNull("buffer");
    spend(buffer.length >>> 4);
    for (let i = 0; i < buffer.length; i++) buffer[i] = random.sample() & 0xff;
  },
});
