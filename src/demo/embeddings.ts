/**
 * Embeddings: deterministic unit vectors in which similar texts lie close together. Each word and each three
 * letters of a word are hashed to one dimension and a sign, counted, and the sum is scaled to length 1.
 */
import * as fields from "./fields.ts";
import type { Fields } from "./fields.ts";
import { badParameter } from "./failure.ts";
import { countTokens } from "./tokens.ts";

export interface EmbeddingsRequest {
  readonly model: string;
  /** Each text, or its token ids joined to one. */
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly base64: boolean;
  readonly promptTokens: number;
}

const MAX_INPUTS = 2048;
const MAX_INPUT_TOKENS = 8192;
const MAX_TOTAL_TOKENS = 300_000;
const MAX_DIMENSIONS = 3072;
/** Bounds the size of a reply: inputs × dimensions. */
const MAX_NUMBERS = 1_000_000;

const DIMENSIONS: Record<string, number> = {
  "text-embedding-ada-002": 1536,
  "text-embedding-3-small": 1536,
  "text-embedding-3-large": 3072,
};
const DEFAULT_DIMENSIONS = 256;

/** @throws ApiFailure 400 naming the parameter that is wrong */
export function readEmbeddings(body: Fields, deployment: string | null): EmbeddingsRequest {
  const model = fields.modelField(body, deployment);
  const usual = Object.hasOwn(DIMENSIONS, model) ? DIMENSIONS[model]! : DEFAULT_DIMENSIONS;
  const dimensions = fields.integerField(body, "dimensions", 1, MAX_DIMENSIONS) ?? usual;
  const format = fields.stringField(body, "encoding_format") ?? "float";
  if (format !== "float" && format !== "base64") {
    throw fields.notOneOf("encoding_format", format, ["float", "base64"]);
  }
  const { inputs, promptTokens } = readInputs(body);
  if (inputs.length * dimensions > MAX_NUMBERS) {
    throw badParameter(
      "input",
      "too_many_numbers",
      `Invalid 'input': ${inputs.length} inputs of ${dimensions} dimensions exceed ${MAX_NUMBERS} numbers per request.`,
    );
  }
  return { model, inputs, dimensions, base64: format === "base64", promptTokens };
}

function readInputs(body: Fields): { inputs: string[]; promptTokens: number } {
  const input = body["input"];
  if (input === undefined || input === null) throw fields.missing("input");
  const list = typeof input === "string" ? [input] : input;
  if (!Array.isArray(list)) {
    throw fields.wrongType(
      "input",
      "one of a string, array of strings, array of integers or array of integer arrays",
      input,
    );
  }
  if (list.length === 0) throw fields.emptyArray("input");
  // A flat list of integers is one input, already split into tokens.
  const items: unknown[] = typeof list[0] === "number" ? [list] : list;
  if (items.length > MAX_INPUTS) throw fields.tooLong("input", MAX_INPUTS, items.length);
  const inputs: string[] = [];
  let promptTokens = 0;
  for (const [i, item] of items.entries()) {
    const path = items.length === 1 && !Array.isArray(input) ? "input" : `input[${i}]`;
    const tokens = inputTokens(item, path);
    promptTokens += tokens;
    if (tokens > MAX_INPUT_TOKENS) throw tooManyTokens(path, MAX_INPUT_TOKENS);
    if (promptTokens > MAX_TOTAL_TOKENS) throw tooManyTokens("input", MAX_TOTAL_TOKENS);
    inputs.push(typeof item === "string" ? item : (item as number[]).map((id) => `t${id}`).join(" "));
  }
  return { inputs, promptTokens };
}

function inputTokens(item: unknown, path: string): number {
  if (typeof item === "string") {
    if (item === "")
      throw badParameter(path, "invalid_value", `Invalid '${path}': input cannot be an empty string.`);
    return countTokens(item, MAX_INPUT_TOKENS + 1);
  }
  if (!Array.isArray(item)) throw fields.wrongType(path, "one of a string or array of integers", item);
  if (item.length === 0) throw fields.emptyArray(path);
  const wrong = item.findIndex((id) => !Number.isInteger(id) || id < 0);
  if (wrong >= 0)
    throw fields.wrongType(`${path}[${wrong}]`, "a token id (an integer of at least 0)", item[wrong]);
  return item.length;
}

function tooManyTokens(param: string, limit: number): Error {
  return badParameter(
    param,
    "context_length_exceeded",
    `Invalid '${param}': maximum input length is ${limit} tokens.`,
  );
}

/** The reply as JSON text. */
export function embeddingsReply(request: EmbeddingsRequest, withUsage: boolean): string {
  return JSON.stringify({
    object: "list",
    data: request.inputs.map((text, index) => {
      const vector = embed(text, request.dimensions);
      return {
        object: "embedding",
        index,
        embedding: request.base64 ? toBase64(vector) : Array.from(vector),
      };
    }),
    model: request.model,
    usage: withUsage
      ? { prompt_tokens: request.promptTokens, total_tokens: request.promptTokens }
      : undefined,
  });
}

/** Little-endian 32-bit floats, as the API and its clients have it. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, i * 4);
  return bytes.toString("base64");
}

/** The unit vector of a text. */
export function embed(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions);
  const words =
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu) ?? [];
  for (const word of words) addFeatures(sums, word);
  let square = 0;
  for (const value of sums) square += value * value;
  if (square === 0) {
    // Only white space, or features that cancelled out: the text as a whole still has a place of its own.
    add(sums, hash(text), 1);
    square = 1;
  }
  const scale = 1 / Math.sqrt(square);
  return Float32Array.from(sums, (value) => value * scale);
}

/** Longer words say more than short ones, and punctuation says next to nothing. */
function addFeatures(sums: Float64Array, word: string): void {
  if (!/[\p{L}\p{N}]/u.test(word)) return add(sums, hash(word), 0.05);
  const weight = Math.min(word.length, 6) / 6;
  add(sums, hash(word), weight);
  const padded = `<${word}>`;
  for (let i = 0; i + 3 <= padded.length; i++) add(sums, hash(padded.slice(i, i + 3)), weight / 2);
}

function add(sums: Float64Array, hashed: number, weight: number): void {
  // The lowest bit is the sign, the others choose the dimension.
  const at = (hashed >>> 1) % sums.length;
  sums[at] = sums[at]! + ((hashed & 1) === 0 ? weight : -weight);
}

/** FNV-1a over UTF-16 units, with a final mix because short inputs leave the low bits poor. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
