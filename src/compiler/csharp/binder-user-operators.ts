/** Operators that types declare, also over their nullable forms. */
import { allBases } from "../runtime/cast.ts";
import { type Type, isValueType, underlyingOfNullable } from "../runtime/type.ts";
import { bindArgumentsAs } from "./binder-arguments.ts";
import { finishCall } from "./binder-calls.ts";
import { convert } from "./binder-convert.ts";
import { codeOf } from "./binder-nodes.ts";
import { isBool, nullableOf, unwrapped } from "./binder-types.ts";
import { type Binder, errorNode } from "./binder.ts";
import type { BoundExpression, BoundOperator } from "./bound.ts";
import { type CandidateMethod, methodCandidate, resolve } from "./overloads.ts";
import type { Span } from "./tree.ts";

/** Operators declared by the types (nullables unwrapped) and their bases. */
export function operatorCandidates(operator: string, types: readonly Type[]): CandidateMethod[] {
  const found: CandidateMethod[] = [];
  const seen = new Set<Type>();
  for (const type of types) {
    const inner = unwrapped(type);
    if (inner.kind !== "named") continue;
    for (const declaring of allBases(inner)) {
      if (seen.has(declaring)) continue;
      seen.add(declaring);
      for (const member of declaring.definition.members.get(`operator ${operator}`) ?? [])
        found.push(methodCandidate(member, declaring));
    }
  }
  return found;
}

export function userBinary(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const candidates = operatorCandidates(operator, [left.type, right.type]).filter(
    (c) => c.parameters.length === 2,
  );
  if (candidates.length === 0) return null;
  const args = bindArgumentsAs([left, right]);
  const found = resolve(b, candidates, args, null);
  if (found.kind === "found") return finishCall(b, found.best, args, null, span);
  return liftedUser(b, operator, candidates, left, right, span);
}

/** A user-defined operator of structs over their nullable forms. */
function liftedUser(
  b: Binder,
  operator: BoundOperator,
  candidates: readonly CandidateMethod[],
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  if (underlyingOfNullable(left.type) === null && underlyingOfNullable(right.type) === null) return null;
  const bare = [left, right].map((side) => ({ ...errorNode(span), type: unwrapped(side.type) }));
  const found = resolve(
    b,
    candidates.filter((c) => c.parameters.every((p) => isValueType(p.type))),
    bindArgumentsAs(bare),
    null,
  );
  if (found.kind !== "found") return null;
  const { candidate, parameterTypes, returns } = found.best;
  const mode =
    operator === "==" ? "equality" : operator === "!=" ? "inequality" : isBool(returns) ? "order" : "value";
  return {
    kind: "liftedOperator",
    member: candidate.member!,
    code: codeOf(candidate.member!, candidate.declaring!.args),
    mode,
    left: convert(b, left, nullableOf(parameterTypes[0]!)),
    right: convert(b, right, nullableOf(parameterTypes[1]!)),
    type: mode === "value" ? nullableOf(returns) : returns,
    start: span.start,
    end: span.end,
  };
}
