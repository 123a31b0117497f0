/** Members of a token response as expressions see them: texts, long, double, bool, and JTokens for what has parts. */
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { Authorization } from "../../compiler/runtime/library/credentials.ts";
import { parseToken } from "../../compiler/runtime/library/json/types.ts";
import { box, typeNamed } from "../../compiler/runtime/values.ts";
import type { ConnectionToken } from "../../gateway/connections.ts";

/** A token serves many requests. */
const made = new WeakMap<ConnectionToken, Authorization>();

export function authorizationOf(token: ConnectionToken): Authorization {
  let authorization = made.get(token);
  if (authorization === undefined) {
    beginEvaluation();
    const claims = new Map(Object.entries(token.claims).map(([name, value]) => [name, boxed(value)]));
    made.set(token, (authorization = new Authorization(token.accessToken, claims)));
  }
  return authorization;
}

function boxed(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value !== "number") return parseToken(JSON.stringify(value), "JToken");
  return Number.isSafeInteger(value)
    ? box(BigInt(value), typeNamed("System.Int64"))
    : box(value, typeNamed("System.Double"));
}
