import { describe, expect, test } from "vitest";
import { post } from "./asking.ts";

describe("embeddings", () => {
  const embed = (fields: object): any =>
    JSON.parse(post("/v1/embeddings", { model: "e", ...fields }).body as string);
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

  test("unit vectors in which similar texts are similar", () => {
    const { data, usage, object } = embed({
      input: ["How do I reset my password?", "How can I reset my password", "Ships sail at dawn"],
    });
    const [a, b, c] = data.map((one: any) => one.embedding);
    expect(object).toBe("list");
    expect(data.map((one: any) => one.index)).toEqual([0, 1, 2]);
    expect(dot(a, a)).toBeCloseTo(1, 5);
    expect(dot(a, b)).toBeGreaterThan(0.8);
    expect(Math.abs(dot(a, c))).toBeLessThan(0.3);
    expect(usage).toEqual({ prompt_tokens: 17, total_tokens: 17 });
  });

  test.each<[fields: object, dimensions: number]>([
    [{ input: "x" }, 256],
    [{ input: "x", dimensions: 8 }, 8],
    [{ input: "  ", dimensions: 8 }, 8],
    [{ input: [1, 2, 3] }, 256],
    [{ input: [[1, 2], [3]] }, 256],
    [{ input: "x", model: "text-embedding-3-large" }, 3072],
  ])("%j has %i dimensions", (fields, dimensions) => {
    const [{ embedding }] = embed(fields).data;
    expect(embedding.length).toBe(dimensions);
    expect(dot(embedding, embedding)).toBeCloseTo(1, 5);
  });

  test("base64 is the same vector", () => {
    const [{ embedding }] = embed({ input: "x", encoding_format: "base64" }).data;
    const bytes = Buffer.from(embedding, "base64");
    const floats = Array.from({ length: 256 }, (_, i) => bytes.readFloatLE(i * 4));
    expect(floats).toEqual(embed({ input: "x" }).data[0].embedding);
  });
});
