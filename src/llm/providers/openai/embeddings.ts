/** Embeddings: texts or token ids in, vectors out; no completion tokens. */
import { isJsonObject } from "../../../base/json-object.ts";
import { newAnswer } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer } from "../../dialect.ts";
import { inputParts } from "./completions.ts";
import { errorIn, noteEnd, noteServed } from "./fields.ts";
import { postsTo } from "./paths.ts";
import { PlainRequest, type PlainFields } from "./plain-request.ts";
import { readUsage } from "./usage.ts";

export const openaiEmbeddings: Dialect = {
  name: "openai-embeddings",
  provider: "openai",
  operation: "embeddings",
  matchesLine: (line) => postsTo(line, "/embeddings"),
  matchesBody: (body) =>
    "input" in body &&
    typeof body["model"] === "string" &&
    (/embed/i.test(body["model"]) || "encoding_format" in body || "dimensions" in body),
  readRequest: (body, line) => new PlainRequest(body ?? {}, line, FIELDS),
  readAnswer: (keepText) => new EmbeddingsReader(keepText),
};

const FIELDS: PlainFields = {
  kind: "embeddings",
  input: "input",
  parts: inputParts,
  outputBound: 0,
  parameters: [
    ["encoding_format", "encoding_formats"],
    ["dimensions", "dimensions"],
  ],
};

class EmbeddingsReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    if (!isJsonObject(value)) return;
    const found = this.found;
    noteServed(found, value);
    found.error = errorIn(value, event) ?? found.error;
    found.usage = readUsage(value["usage"]) ?? found.usage;
    if (Array.isArray(value["data"])) noteEnd(found);
  }
}
