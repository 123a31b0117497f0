import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distanceOf, unitVector } from "../unit-vector.ts";
import { encode } from "./code.ts";
import { PlainMemory, assemble, hasSimd, scanMemory } from "./kernel.ts";
import { VectorIndex } from "./vector-index.ts";

/** Numbers that look like chance and are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
}

test("the module is what its text says: 5 parameters, one loop in another, no more than 300 octets", () => {
  const octets = assemble();
  expect(hasSimd()).toBe(true);
  expect(Array.from(octets.slice(0, 8))).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  expect(octets.length).toBeLessThan(300);
});

test("SIMD and JavaScript agree, also with the largest numbers and beside the ends of memory", () => {
  const memories = [scanMemory(), new PlainMemory()];
  const random = randomOf(7);
  for (const d of [16, 32, 48, 512, 1536]) {
    const rows = 130;
    const codes = Int8Array.from({ length: (rows + 1) * d }, (_, i) =>
      i % 7 === 0 ? 127 : i % 11 === 0 ? -127 : Math.round(random() * 254),
    );
    const found = memories.map((memory) => {
      const table = (rows + 1) * d;
      const out = table + rows * 4;
      expect(memory.ensure(out + rows * 4 + 65_536 * 3)).toBe(true);
      memory.octets.set(codes, 0);
      for (let i = 0; i < rows; i++) memory.words[table / 4 + i] = (rows - i) * d;
      memory.scan(0, table, rows, d, out);
      return [...memory.words.subarray(out / 4, out / 4 + rows)];
    });
    expect(found[0]).toEqual(found[1]);
    const sum = codes.subarray(0, d).reduce((all, value, i) => all + value * codes[rows * d + i]!, 0);
    expect(found[0]![0]).toBe(sum);
  }
});

interface World {
  readonly index: VectorIndex;
  readonly vectors: Map<number, Float32Array>;
}

function indexOf(vectors: readonly Float32Array[]): World {
  const index = new VectorIndex();
  const kept = new Map<number, Float32Array>();
  for (const [i, vector] of vectors.entries()) {
    const unit = unitVector(vector);
    if (unit === null) continue;
    kept.set(i, unit);
    index.add("p", i, unit.length, encode(unit), Infinity);
  }
  return { index, vectors: kept };
}

function exact({ vectors }: World, unit: Float32Array, distance: number, limit: number): number[] {
  return [...vectors]
    .filter(([, vector]) => vector.length === unit.length)
    .map(([id, vector]) => ({ id, distance: distanceOf(unit, vector) }))
    .filter((one) => one.distance <= distance + 1e-6)
    .sort((a, b) => a.distance - b.distance || a.id - b.id)
    .slice(0, limit)
    .map(({ id }) => id);
}

const look = ({ index, vectors }: World, unit: Float32Array, distance: number, limit: number): number[] =>
  index.nearest("p", unit, distance, limit, 0, (id) => vectors.get(id) ?? null).map(({ id }) => id);

/** Kinds of vectors that make octets lie: noise, spikes, near ties, one direction with little differences. */
const KINDS: Readonly<Record<string, (random: () => number, base: Float32Array) => Float32Array>> = {
  noise: (random, base) => base.map(() => random()),
  spikes: (random, base) => base.map((_, i) => (i === 0 ? 50 : 0) + random()),
  "near ties": (random, base) => base.map((value) => value + random() * 1e-5),
  "two magnitudes": (random, base) =>
    base.map((value, i) => value * (i % 2 === 0 ? 1 : 1e-4) + random() * 1e-3),
  same: (_random, base) => base,
};

describe.each(Object.keys(KINDS))("%s", (kind) => {
  test("finds exactly what comparing all vectors finds", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 1e-4, 0.05, 0.3, 1, 2),
      (seed, dimensions, count, limit, distance) => {
        const random = randomOf(seed);
        const base = new Float32Array(dimensions).map(() => random());
        const world = indexOf(Array.from({ length: count }, () => KINDS[kind]!(random, base)));
        const unit = unitVector(KINDS[kind]!(random, base));
        if (unit === null) return;
        expect(look(world, unit, distance, limit)).toEqual(exact(world, unit, distance, limit));
      },
    );
    fc.assert(property, { numRuns: 150 });
  });
});

test("2,000 near ties among 1,536 dimensions: the nearest is the nearest", () => {
  const random = randomOf(3);
  const base = new Float32Array(1536).map(() => random());
  const world = indexOf(Array.from({ length: 2000 }, () => base.map((value) => value + random() * 1e-3)));
  for (let i = 0; i < 10; i++) {
    const unit = unitVector(base.map((value) => value + random() * 1e-3))!;
    expect(look(world, unit, 0.3, 3)).toEqual(exact(world, unit, 0.3, 3));
  }
});

test("rows that go leave the others findable, and their room is used again", () => {
  const random = randomOf(5);
  const vectors = Array.from({ length: 300 }, () => new Float32Array(24).map(() => random()));
  const world = indexOf(vectors);
  for (let i = 0; i < 300; i += 2) {
    expect(world.index.remove(i)).toBe(VectorIndex.sizeOf(24));
    world.vectors.delete(i);
  }
  expect(world.index.remove(0)).toBe(0);
  for (const vector of vectors)
    expect(look(world, unitVector(vector)!, 0.4, 5)).toEqual(exact(world, unitVector(vector)!, 0.4, 5));
  expect(world.index.idsOf("p").length).toBe(150);
  for (let i = 1; i < 300; i += 2) world.index.remove(i);
  expect([world.index.size, world.index.idsOf("p")]).toEqual([0, []]);
});

test("what has expired is neither found nor in the way of others", () => {
  const index = new VectorIndex();
  const unit = unitVector(new Float32Array([1, 2, 3]))!;
  index.add("p", 1, 3, encode(unit), 100);
  index.add("p", 2, 3, encode(unit), 200);
  const at = (now: number): number[] => index.nearest("p", unit, 0.1, 1, now, () => unit).map(({ id }) => id);
  expect([at(99), at(100), at(199), at(200)]).toEqual([[1], [2], [2], []]);
  expect([index.expired(99), index.expired(100), index.expired(200)]).toEqual([[], [1], [1, 2]]);
});
