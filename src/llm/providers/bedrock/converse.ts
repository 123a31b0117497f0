/**
 * Amazon Bedrock's Converse and ConverseStream: one format for all chat models.
 * Source: "Amazon Bedrock Runtime API reference", `Converse`, `ConverseStream`.
 */
import type { Dialect } from "../../dialect.ts";
import { readConverseAnswer } from "./converse-answer.ts";
import { readConverseRequest } from "./converse-request.ts";
import { readBedrockPath } from "./path.ts";

export const bedrockConverse: Dialect = {
  name: "bedrock-converse",
  provider: "aws.bedrock",
  operation: "chat",
  matchesLine: (line) => readBedrockPath(line)?.action.startsWith("converse") === true,
  readRequest: (body, line) => {
    const path = readBedrockPath(line);
    return readConverseRequest(body, path?.model ?? null, path?.action === "converse-stream");
  },
  readAnswer: readConverseAnswer,
};
