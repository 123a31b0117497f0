/** Which message bodies an expression reads, so that they can be in memory before it runs (`expressions.md` §1.6). */
import { NEEDS_NOTHING, NEEDS_REQUEST_BODY, NEEDS_RESPONSE_BODY, type Needs } from "../policy.ts";
import { walkFunction } from "./bound-walk.ts";
import type { BoundCall, BoundExpression, BoundFunction, LocalSymbol } from "./bound.ts";

/**
 * `Request.Body` needs the request's. `Body` of a response needs the response's only when it may be that of
 * `context.Response`: responses in variables are always in memory.
 */
export function needsOf(fn: BoundFunction): Needs {
  let needs = NEEDS_NOTHING;
  /** `context.Response` was stored or passed on: then any local may hold it. */
  let escapes = false;
  let readsUnknown = false;
  const direct = new Set<BoundExpression>();
  /** What the temporaries of `?.` stand for. */
  const temporaries = new Map<LocalSymbol, BoundExpression>();
  walkFunction(fn, (node) => {
    if (node.kind === "conditionalAccess") {
      temporaries.set(node.temp, node.receiver);
      if (isResponse(node.receiver)) direct.add(node.receiver);
    }
    if (node.kind === "isNull" && isResponse(node.operand)) direct.add(node.operand);
    if (node.kind !== "call") return;
    if (node.receiver !== null && isResponse(node.receiver)) direct.add(node.receiver);
    const wanted = node.member.facts.needs;
    // Facts of "body" (reading one that is at hand) say nothing about which: the property before them did.
    if (wanted === "request-body") needs |= NEEDS_REQUEST_BODY;
    if (wanted === "response-body") {
      const receiver = resolved(node.receiver, temporaries);
      if (receiver !== null && isResponse(receiver)) needs |= NEEDS_RESPONSE_BODY;
      else readsUnknown = true;
    }
    if (isResponse(node) && !direct.has(node)) escapes = true;
  });
  return readsUnknown && escapes ? needs | NEEDS_RESPONSE_BODY : needs;
}

function resolved(
  node: BoundExpression | null,
  temporaries: ReadonlyMap<LocalSymbol, BoundExpression>,
): BoundExpression | null {
  let now = node;
  while (now !== null && now.kind === "local") {
    const source = temporaries.get(now.symbol);
    if (source === undefined) return now;
    now = source;
  }
  return now;
}

function isResponse(node: BoundExpression): node is BoundCall {
  return (
    node.kind === "call" && node.member.name === "Response" && node.member.declaring.shortName === "IContext"
  );
}
