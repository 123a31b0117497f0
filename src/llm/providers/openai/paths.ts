/**
 * Where requests of the OpenAI dialects go. What comes before the last segments differs (`/v1`, `/openai/v1`,
 * `/openai/deployments/{name}`, `/models`, any base path of a gateway) and says nothing; the end of the path does
 * (`ai-policies.md` §0.3, `ai-apis.md` §6.2).
 */
import type { RequestLine } from "../../dialect.ts";
import { decodedSegment } from "../../path-segment.ts";

/** Whether a POST goes to a path that ends so. @param end in lower case, beginning with `/` */
export function postsTo(line: RequestLine, end: string): boolean {
  return line.method === "POST" && endsWith(line.path, end);
}

/** Case and slashes at the end do not matter. */
export function endsWith(path: string, end: string): boolean {
  let length = path.length;
  while (length > 1 && path.charCodeAt(length - 1) === 0x2f) length--;
  return length >= end.length && path.slice(length - end.length, length).toLowerCase() === end;
}

/** The name in `/deployments/{name}/…`; null elsewhere. */
export function deploymentOf(line: RequestLine): string | null {
  const match = DEPLOYMENT.exec(line.path);
  return match === null ? null : decodedSegment(match[1]!);
}

const DEPLOYMENT = /\/deployments\/([^/]+)(?:\/|$)/i;

/** The first value of a query parameter, whatever its case; null without one. */
export function queryValue(query: string, name: string): string | null {
  if (query === "") return null;
  for (const [key, value] of new URLSearchParams(query)) if (key.toLowerCase() === name) return value;
  return null;
}
