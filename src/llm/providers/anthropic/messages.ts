/**
 * Anthropic Messages: `POST /v1/messages`, at Anthropic itself and in Azure AI Foundry (`/anthropic/v1/messages`), and
 * `…/publishers/anthropic/models/{model}:rawPredict` or `:streamRawPredict` at Vertex AI. Counting tokens
 * (`/count_tokens`) and batches are no calls of a model.
 *
 * Sources: Anthropic, "Messages" and "Streaming Messages"; Google Cloud, "Claude on Vertex AI".
 */
import type { Dialect, RequestLine } from "../../dialect.ts";
import { decodedSegment } from "../../path-segment.ts";
import { readMessagesAnswer } from "./answer.ts";
import { type MessagesLine, readMessagesRequest } from "./request.ts";

const PATH = /\/v1\/messages\/?$/i;
/** Where an API's address ends in `/v1` the caller's path need not have it; then the header tells. */
const SHORT_PATH = /\/messages\/?$/i;
/** There, tokens are counted by a model of that name. */
const VERTEX_PATH =
  /\/publishers\/anthropic\/models\/(?!count-tokens)([^/]+)(?::|%3a)(raw|streamRaw)Predict$/i;

export const anthropicMessages: Dialect = {
  name: "anthropic-messages",
  provider: "anthropic",
  operation: "chat",
  reportsEarly: true,
  matchesLine: (line) =>
    line.method === "POST" &&
    (PATH.test(line.path) ||
      VERTEX_PATH.test(line.path) ||
      (SHORT_PATH.test(line.path) && line.header("anthropic-version") !== null)),
  matchesBody: (body, line) =>
    Array.isArray(body["messages"]) &&
    (typeof body["anthropic_version"] === "string" ||
      (typeof body["max_tokens"] === "number" && line.header("anthropic-version") !== null)),
  readRequest: (body, line) => readMessagesRequest(body, readLine(line)),
  readAnswer: readMessagesAnswer,
};

const ANTHROPIC: MessagesLine = { provider: null, model: null, stream: false };

function readLine(line: RequestLine): MessagesLine {
  const vertex = VERTEX_PATH.exec(line.path);
  if (vertex === null) return ANTHROPIC;
  return {
    provider: "gcp.vertex_ai",
    model: decodedSegment(vertex[1]!),
    stream: vertex[2]!.toLowerCase() === "streamraw",
  };
}
