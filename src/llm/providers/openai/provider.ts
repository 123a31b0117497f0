/** Who stands behind a request that speaks like OpenAI. */
import type { RequestLine } from "../../dialect.ts";
import { providerOfHost } from "../../provider-hosts.ts";

/** By the host, else by what only Azure has: deployments in the path, `api-version` in the query. */
export function providerOf(line: RequestLine): string | null {
  const byHost = providerOfHost(line.header("host"));
  if (byHost !== null) return byHost;
  if (/\/deployments\//i.test(line.path)) return "azure.ai.openai";
  if (!/(?:^|&)api-version=/i.test(line.query)) return null;
  return /\/models\//i.test(line.path) ? "azure.ai.inference" : "azure.ai.openai";
}
