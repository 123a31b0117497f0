/**
 * What the path of a Gemini request says. It ends in `{model}:{action}`:
 *
 * - Gemini API: `/v1beta/models/gemini-2.5-flash:generateContent`, `/v1/tunedModels/…:…`
 * - Vertex AI: `/v1/projects/{p}/locations/{l}/publishers/google/models/gemini-2.5-flash:streamGenerateContent`, and
 *   `…/endpoints/{id}:…` for a model of one's own; in express mode `/v1/publishers/google/models/…`
 *
 * `:countTokens`, `:predictLongRunning` and batches are no calls of a model that answers here and now.
 */
import type { RequestLine } from "../../dialect.ts";
import { decodedSegment } from "../../path-segment.ts";

export type GeminiAction =
  | "generateContent"
  | "streamGenerateContent"
  | "embedContent"
  | "batchEmbedContents"
  | "predict";

const ACTIONS = new Map<string, GeminiAction>(
  (
    ["generateContent", "streamGenerateContent", "embedContent", "batchEmbedContents", "predict"] as const
  ).map((action) => [action.toLowerCase(), action]),
);
const LAST_SEGMENT = /\/([^/]+?)(?::|%3a)([a-z]+)\/?$/i;

export interface GeminiPath {
  /** The last segment before the action: a model, a tuned model, or an endpoint's id. */
  readonly model: string;
  readonly action: GeminiAction;
}

/** @returns null when the path is none of Gemini's */
export function readGeminiPath(line: RequestLine): GeminiPath | null {
  const found = LAST_SEGMENT.exec(line.path);
  const action = found === null ? undefined : ACTIONS.get(found[2]!.toLowerCase());
  return action === undefined ? null : { model: decodedSegment(found![1]!), action };
}

/** Vertex AI names a project or a publisher, or is told by its host. */
export function isVertex(line: RequestLine): boolean {
  return (
    /\/(?:projects|publishers)\//i.test(line.path) ||
    /(?:^|[.-])aiplatform\.googleapis\.com/i.test(line.header("host") ?? "")
  );
}

/** Whether `:predict` asks for vectors or pictures: its bodies look alike. */
export function predicts(model: string): "embeddings" | "image_generation" | "generate_content" {
  if (/embed|gecko/i.test(model)) return "embeddings";
  return /^image|imagen/i.test(model) ? "image_generation" : "generate_content";
}
