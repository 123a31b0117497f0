/**
 * What the path of a request to Bedrock's runtime says: `/model/{id}/{action}`. The id is a model's
 * (`anthropic.claude-3-5-sonnet-20240620-v1:0`), that of an inference profile (`us.anthropic.…`) or an ARN. Clients
 * encode it as one segment (`%3A`, `%2F`); an ARN with bare slashes is understood too.
 */
import type { RequestLine } from "../../dialect.ts";
import { decodedSegment } from "../../path-segment.ts";

export type BedrockAction = "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream";

export interface BedrockPath {
  readonly model: string;
  readonly action: BedrockAction;
}

const ACTION = /\/(converse|converse-stream|invoke|invoke-with-response-stream)\/?$/i;
const MODEL = "/model/";

/** @returns null when the path is none of Bedrock's */
export function readBedrockPath(line: RequestLine): BedrockPath | null {
  if (line.method !== "POST") return null;
  const found = ACTION.exec(line.path);
  if (found === null) return null;
  const before = line.path.slice(0, found.index);
  const at = before.toLowerCase().lastIndexOf(MODEL);
  if (at < 0 || at + MODEL.length === before.length) return null;
  return {
    model: decodedSegment(before.slice(at + MODEL.length)),
    action: found[1]!.toLowerCase() as BedrockAction,
  };
}
