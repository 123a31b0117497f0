/**
 * Amazon Bedrock's InvokeModel and InvokeModelWithResponseStream: each maker's own format. One reader for all; they differ
 * in the operation that telemetry names.
 * Source: "Amazon Bedrock Runtime API reference", `InvokeModel`, `InvokeModelWithResponseStream`.
 */
import type { Dialect, ModelOperation } from "../../dialect.ts";
import { readInvokeAnswer } from "./invoke-answer.ts";
import { invokes, readInvokeRequest } from "./invoke-request.ts";
import { readBedrockPath } from "./path.ts";

function invokeDialect(operation: ModelOperation): Dialect {
  return {
    name: "bedrock-invoke",
    provider: "aws.bedrock",
    operation,
    reportsEarly: true,
    matchesLine: (line) => {
      const path = readBedrockPath(line);
      return path !== null && path.action.startsWith("invoke") && invokes(path.model) === operation;
    },
    readRequest: (body, line) => readInvokeRequest(body, readBedrockPath(line)),
    readAnswer: readInvokeAnswer,
  };
}

export const bedrockInvoke = invokeDialect("chat");
export const bedrockInvokeEmbeddings = invokeDialect("embeddings");
export const bedrockInvokeImages = invokeDialect("image_generation");
