import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";

export interface KeyRules {
  readonly byDeveloper: Value<boolean>;
  readonly byGroups: Value<boolean>;
  readonly headers: readonly Value<string>[];
  /** Each may name several, separated by semicolons. */
  readonly parameters: readonly Value<string>[];
}

/**
 * What tells one stored response from another (`policies.md` 29): API with revision, operation, the client's path and query
 * without its subscription key, and what the policy varies by. Lines cannot occur in any part, so parts cannot run together.
 */
export function responseKey(rules: KeyRules, exchange: Exchange): string {
  const { api, operation, request, context } = exchange;
  const keyName = api?.subscriptionKeyParameterNames.query.toLowerCase() ?? "";
  const parts = [
    `response ${api?.id ?? ""};${api?.revision ?? ""}`,
    operation?.id ?? "",
    request.originalUrl.path,
    queryPart(rules.parameters, exchange, keyName),
  ];
  for (const header of rules.headers) {
    const name = header(context);
    parts.push(`${name.toLowerCase()}:${request.headers.getAll(name)?.join(",") ?? ""}`);
  }
  if (rules.byDeveloper(context)) parts.push(`user ${exchange.user?.id ?? ""}`);
  if (rules.byGroups(context))
    parts.push(
      `groups ${(exchange.user?.groups ?? [])
        .map(({ id }) => id)
        .sort()
        .join(",")}`,
    );
  return parts.join("\n");
}

function queryPart(parameters: readonly Value<string>[], exchange: Exchange, keyName: string): string {
  const query = exchange.request.originalUrl.queryString.slice(1);
  if (query === "") return "";
  const pairs = query.split("&").filter((pair) => nameOf(pair) !== keyName);
  if (parameters.length === 0) return pairs.join("&");
  const listed = parameters
    .flatMap((parameter) => parameter(exchange.context).split(";"))
    .map((name) => name.trim().toLowerCase());
  const wanted = new Set(listed.filter((name) => name !== ""));
  // A stable sort: the order of names is nobody's business, that of one name's values is.
  const chosen = pairs
    .filter((pair) => wanted.has(nameOf(pair)))
    .map((pair) => [nameOf(pair), pair] as const);
  return chosen
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, pair]) => pair)
    .join("&");
}

/** Decoded and lower case; as it stands when its escapes make no sense. */
function nameOf(pair: string): string {
  const at = pair.indexOf("=");
  const name = at < 0 ? pair : pair.slice(0, at);
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
