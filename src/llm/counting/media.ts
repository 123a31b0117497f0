/**
 * What images, audio and files in a prompt count, by the providers' documented formulas where the size is known. These
 * are estimates: providers scale and crop before they count.
 */
import type { PromptPart } from "../prompt.ts";
import type { ModelEncoding } from "./encodings.ts";

type Part<Kind extends PromptPart["kind"]> = Extract<PromptPart, { kind: Kind }>;

/** What counts as much as it can, since nothing is known of its size (`ai-policies.md` §1.5). */
export const UNKNOWN_SIZE = 1200;

/** OpenAI, tiles of 512 pixels: model, base, per tile. The first that fits holds. */
const TILES: readonly (readonly [RegExp, number, number])[] = [
  [/^gpt-4o-mini/, 2833, 5667],
  [/^gpt-5($|-)/, 70, 140],
  [/^o[13]($|-)/, 75, 150],
  [/^computer-use/, 65, 129],
  [/^gpt-4/, 85, 170],
];

/** OpenAI, patches of 32 pixels: model, tokens per patch, patches at most. The first that fits holds. */
const PATCHES: readonly (readonly [RegExp, number, number])[] = [
  [/^gpt-(5|4\.1)[.\d]*-mini/, 1.62, 1536],
  [/^gpt-(5|4\.1)[.\d]*-nano/, 2.46, 1536],
  [/^o4-mini/, 1.72, 1536],
  [/^gpt-5\.[0-3]/, 1, 1536],
  [/^gpt-(5\.|[6-9]|\d\d)/, 1, 2500],
];

export function imageTokens(image: Part<"image">, model: ModelEncoding): number {
  const { width, height } = image;
  const low = image.detail === "low";
  switch (model.family) {
    case "openai":
      return openAiImage(width, height, low, model.name);
    case "gemini":
      return geminiImage(width, height, low, model.name);
    default:
      if (!known(width) || !known(height)) return UNKNOWN_SIZE;
      return areaImage(width, height, model.factor > 1.5 ? 4784 : 1600);
  }
}

function openAiImage(width: number | null, height: number | null, low: boolean, name: string): number {
  const patches = PATCHES.find(([pattern]) => pattern.test(name));
  if (patches !== undefined) {
    if (!known(width) || !known(height)) return UNKNOWN_SIZE;
    return Math.ceil(patchCount(width, height, patches[2]) * patches[1]);
  }
  const [, base, tile] = TILES.find(([pattern]) => pattern.test(name)) ?? [null, 85, 170];
  if (low) return base;
  if (!known(width) || !known(height)) return Math.max(UNKNOWN_SIZE, base + tile);
  // Into 2048 × 2048, then the shorter side down to 768.
  const fit = Math.min(1, 2048 / Math.max(width, height));
  const scale = fit * Math.min(1, 768 / (Math.min(width, height) * fit));
  return base + tile * Math.ceil((width * scale) / 512) * Math.ceil((height * scale) / 512);
}

/** Patches of 32 × 32, after shrinking what has too many so far that whole patches fit. */
function patchCount(width: number, height: number, most: number): number {
  const count = Math.ceil(width / 32) * Math.ceil(height / 32);
  if (count <= most) return count;
  const shrink = Math.sqrt((32 * 32 * most) / (width * height));
  const across = (width * shrink) / 32;
  const down = (height * shrink) / 32;
  const whole = Math.min(Math.floor(across) / across || 1, Math.floor(down) / down || 1);
  const patches = Math.ceil(across * whole - 1e-9) * Math.ceil(down * whole - 1e-9);
  return Math.min(most, Math.max(1, patches));
}

/** 258 for a small one, else for each tile; a tile's side is two thirds of the shorter side, from 256 to 768. */
function geminiImage(width: number | null, height: number | null, low: boolean, name: string): number {
  // From 3 on an image counts by the resolution asked for, not by its size.
  if (/gemini-([3-9]|\d\d)/.test(name)) return low ? 280 : 1120;
  if (!known(width) || !known(height)) return UNKNOWN_SIZE;
  if (width <= 384 && height <= 384) return 258;
  const side = Math.min(768, Math.max(256, Math.floor(Math.min(width, height) / 1.5)));
  return 258 * Math.min(1000, Math.ceil(width / side) * Math.ceil(height / side));
}

/** Anthropic: area / 750, after scaling down to what it takes at most. Others are not far from it. */
function areaImage(width: number, height: number, most: number): number {
  return Math.min(most, Math.max(1, Math.ceil((width * height) / 750)));
}

/** OpenAI: a token per 100 ms of a caller's audio. Gemini: 32 a second. Others: as Gemini. */
export function audioTokens(audio: Part<"audio">, model: ModelEncoding): number {
  if (!known(audio.seconds)) return UNKNOWN_SIZE;
  return Math.ceil(audio.seconds * (model.family === "openai" ? 10 : 32));
}

/** A page of a PDF is some 50 kB and, as text and picture, some 2,000 tokens. No provider's formula goes by octets. */
export function fileTokens(file: Part<"file">): number {
  if (!known(file.bytes)) return UNKNOWN_SIZE;
  return Math.max(258, Math.ceil(file.bytes / 25));
}

function known(size: number | null): size is number {
  return size !== null && Number.isFinite(size) && size > 0;
}
