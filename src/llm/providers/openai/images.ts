/** Image generation, edits and variations. Only the `gpt-image` models report tokens. */
import { isJsonObject } from "../../../base/json-object.ts";
import { newAnswer } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer } from "../../dialect.ts";
import { IMAGE_MODEL, inputParts } from "./completions.ts";
import { errorIn, noteEnd, noteServed } from "./fields.ts";
import { postsTo } from "./paths.ts";
import { PlainRequest, type PlainFields } from "./plain-request.ts";
import { readUsage } from "./usage.ts";

export const openaiImages: Dialect = {
  name: "openai-images",
  provider: "openai",
  operation: "image_generation",
  matchesLine: (line) =>
    postsTo(line, "/images/generations") ||
    postsTo(line, "/images/edits") ||
    postsTo(line, "/images/variations"),
  matchesBody: (body) =>
    "prompt" in body && typeof body["model"] === "string" && IMAGE_MODEL.test(body["model"]),
  readRequest: (body, line) => new PlainRequest(body ?? {}, line, FIELDS),
  readAnswer: (keepText) => new ImagesReader(keepText),
};

const FIELDS: PlainFields = {
  kind: "other",
  input: "prompt",
  parts: inputParts,
  outputBound: null,
  parameters: [["n", "choice.count"]],
};

class ImagesReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    if (!isJsonObject(value)) return;
    const found = this.found;
    noteServed(found, value);
    const type = typeof value["type"] === "string" ? value["type"] : (event ?? "");
    found.error = errorIn(value, type) ?? found.error;
    found.usage = readUsage(value["usage"]) ?? found.usage;
    if (Array.isArray(value["data"]) || type.endsWith(".completed")) noteEnd(found);
  }
}
