/**
 * The reads that policies consist of, in one step instead of three or four: `context.Variables["x"]`,
 * `(string)context.Variables["x"]`, `context.Variables.ContainsKey("x")`, `context.Request.Headers.GetValueOrDefault("k", "d")`.
 * Everything here gives exactly what the library's own members give; it only skips their objects.
 */
import type { BoundCall, BoundConvert, BoundExpression } from "../csharp/bound.ts";
import { unboxerTo } from "../runtime/cast.ts";
import type { HostContext } from "../runtime/host.ts";
import { readHeader, readVariable } from "../runtime/library/context.ts";
import type { Run } from "./code.ts";
import type { FunctionScope } from "./code.ts";
import { emitExpression } from "./expressions.ts";
import { nullReference } from "../runtime/errors.ts";

/** `context.Variables["x"]` → `x`. */
function variableName(node: BoundExpression): string | null {
  if (node.kind !== "call" || node.member.kind !== "indexer" || node.receiver === null) return null;
  return isContextMember(node.receiver, "Variables") ? constantText(node.arguments[0]) : null;
}

function isContextMember(node: BoundExpression, name: string): boolean {
  return (
    node.kind === "call" &&
    node.member.name === name &&
    node.member.declaring.fullName === "Gateway.IContext" &&
    node.receiver?.kind === "context"
  );
}

function constantText(node: BoundExpression | undefined): string | null {
  return node?.kind === "constant" && typeof node.value === "string" ? node.value : null;
}

export function emitKnownCall(node: BoundCall, scope: FunctionScope): Run | null {
  const variable = variableName(node);
  if (variable !== null) return (c) => readVariable(c, variable);
  if (node.member.name === "ContainsKey") return emitContainsKey(node);
  if (node.member.name === "GetValueOrDefault") return emitHeader(node, scope);
  return null;
}

/** `context.Variables.ContainsKey("x")`. */
function emitContainsKey(node: BoundCall): Run | null {
  const name = constantText(node.arguments[0]);
  if (node.receiver === null || name === null || !isContextMember(node.receiver, "Variables")) return null;
  return (c: HostContext) => c.variables.has(name);
}

/** `message.Headers.GetValueOrDefault("name", "default")`, an extension method over `string[]` values. */
function emitHeader(node: BoundCall, scope: FunctionScope): Run | null {
  const [dictionary, key, fallback] = node.arguments;
  if (node.receiver !== null || node.order !== null || dictionary?.kind !== "call") return null;
  if (node.type.name !== "System.String" || node.typeArguments.length > 0) return null;
  const { member, receiver } = dictionary;
  const owner = member.declaring.fullName;
  const isHeaders =
    member.name === "Headers" && (owner === "Gateway.IRequest" || owner === "Gateway.IResponse");
  const name = constantText(key);
  if (!isHeaders || receiver === null || name === null) return null;
  if (fallback !== undefined && fallback.kind !== "constant") return null;
  const missing = fallback === undefined ? null : (fallback.value as string | null);
  const message = emitExpression(receiver, scope);
  return (c, f) => {
    const found = message(c, f);
    if (found === null) throw nullReference();
    return readHeader(found, name, missing);
  };
}

/** A cast of a variable: `(string)context.Variables["x"]`, `(int)…`, `(JObject)…`. */
export function emitKnownConvert(node: BoundConvert, _scope: FunctionScope): Run | null {
  const { kind } = node.conversion;
  if (kind !== "unbox" && kind !== "downcast") return null;
  const name = variableName(node.operand);
  if (name === null) return null;
  const cast = unboxerTo(node.type);
  return (c) => cast(readVariable(c, name));
}
