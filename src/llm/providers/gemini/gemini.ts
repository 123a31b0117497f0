/**
 * Gemini's own format, at the Gemini API and at Vertex AI: generating, embedding, drawing. One reader for all answers; the
 * three differ in the operation that telemetry names.
 *
 * Sources: Google, "Gemini API reference" (`generateContent`, `embedContent`), "Vertex AI: Text embeddings API",
 * "Imagen API".
 */
import type { Dialect, ModelOperation } from "../../dialect.ts";
import { readGeminiAnswer } from "./answer.ts";
import { type GeminiPath, predicts, readGeminiPath } from "./path.ts";
import { readGeminiRequest } from "./request.ts";

function geminiDialect(operation: ModelOperation): Dialect {
  return {
    name: "gemini",
    provider: "gcp.gemini",
    operation,
    reportsEarly: true,
    matchesLine: (line) => {
      if (line.method !== "POST") return false;
      const path = readGeminiPath(line);
      return path !== null && operationOf(path) === operation;
    },
    readRequest: readGeminiRequest,
    readAnswer: readGeminiAnswer,
  };
}

function operationOf(path: GeminiPath): ModelOperation {
  if (path.action === "predict") return predicts(path.model);
  return path.action === "embedContent" || path.action === "batchEmbedContents"
    ? "embeddings"
    : "generate_content";
}

export const gemini: Dialect = {
  ...geminiDialect("generate_content"),
  // `:countTokens` and other actions have such bodies too.
  matchesBody: (body, line) => Array.isArray(body["contents"]) && !/(?::|%3a)[a-z]+\/?$/i.test(line.path),
};
export const geminiEmbeddings = geminiDialect("embeddings");
export const geminiImages = geminiDialect("image_generation");
