/** Why an expression does not convert, and what to write instead. */
import { type Type, displayName, underlyingOfNullable } from "../runtime/type.ts";
import { isAssignable } from "../runtime/cast.ts";
import { asValue, castHint } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { lambdaBody } from "./binder-lambda.ts";
import {
  delegateSignature,
  elementTypeOf,
  isIntegralKind,
  isString,
  isVoid,
  numericKind,
} from "./binder-types.ts";
import { type Bound, isTyped } from "./binder-untyped.ts";
import type { Binder } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { fits } from "./constants.ts";
import { explicitConversion } from "./conversions.ts";
import type { Span } from "./tree.ts";

export function reportNoConversion(b: Binder, bound: Bound, to: Type, span: Span): void {
  switch (bound.kind) {
    case "pendingLambda":
    case "pendingMethods":
    case "pendingLocalFunction":
      reportFunction(b, bound, to, span);
      return;
    case "pendingConditional":
      for (const arm of [bound.whenTrue, bound.whenFalse])
        if (!converts(b, arm, to)) reportNoConversion(b, arm, to, arm);
      return;
    case "pendingTuple":
      for (const element of bound.elements) if (!isTyped(element)) asValue(b, element);
      b.report("HG3106", span, { from: "tuple", to: displayName(to) });
      return;
    case "pendingNew":
      b.report("HG3160", span);
      return;
    default:
      if (!isTyped(bound)) {
        asValue(b, bound);
        return;
      }
  }
  const from = bound.type;
  if (isVoid(from)) {
    b.report("HG3134", span, { member: bound.kind === "call" ? bound.member.name : "this" });
    return;
  }
  if (from.kind === "null") {
    b.report(
      "HG3106",
      span,
      { from: "null", to: displayName(to) },
      `use \`${displayName(to)}?\` if there may be no value`,
    );
    return;
  }
  if (
    bound.kind === "constant" &&
    numericKind(from) !== null &&
    numericKind(to) !== null &&
    isIntegralKind(numericKind(from)!)
  ) {
    const wanted = numericKind(to)!;
    if (
      isIntegralKind(wanted) &&
      wanted !== "char" &&
      !fits(BigInt(bound.value as number | bigint), wanted)
    ) {
      b.report("HG3125", span, { type: displayName(to) });
      return;
    }
  }
  b.report(
    "HG3106",
    span,
    { from: displayName(from), to: displayName(to) },
    literalHint(bound, to) ?? conversionHint(from, to),
  );
}

/** Constants are best written in the right type. */
function literalHint(bound: BoundExpression, to: Type): string | null {
  if (bound.kind !== "constant") return null;
  const wanted = numericKind(to);
  if (numericKind(bound.type) === "double" && (wanted === "decimal" || wanted === "float")) {
    return `write the number with \`${wanted === "decimal" ? "m" : "f"}\` at its end`;
  }
  if (wanted === "char" && typeof bound.value === "string" && bound.value.length === 1)
    return "a single character stands in single quotes";
  return null;
}

function conversionHint(from: Type, to: Type): string | null {
  if (isString(to) && explicitConversion(from, to) === null) return "write `.ToString()` behind the value";
  const cut = castHint(from, to);
  if (explicitConversion(from, to) === null) return cut;
  if (underlyingOfNullable(from) === to)
    return "write `.Value` behind it, or `?? …` for the case without a value";
  const element = isString(to) ? null : elementTypeOf(to);
  if (element !== null && elementTypeOf(from) !== null && !isAssignable(to, from))
    return `write \`.Cast<${displayName(element)}>()\` behind it`;
  return `cast it: \`(${displayName(to)})…\``;
}

function reportFunction(b: Binder, bound: Bound & { type: null }, to: Type, span: Span): void {
  const signature = delegateSignature(to);
  if (signature === null) {
    asValue(b, bound);
    return;
  }
  if (bound.kind === "pendingLambda") {
    const given = bound.parameters.length;
    if (given !== signature.parameters.length) {
      b.report("HG3106", span, { from: `lambda with ${given} parameter(s)`, to: displayName(to) });
      return;
    }
    const body = lambdaBody(b, bound, signature.parameters);
    const errors = body.diagnostics.filter((d) => d.severity === "error");
    if (errors.length > 0) {
      b.diagnostics.push(...errors);
      return;
    }
    if (!isVoid(signature.returns) && !body.isExpression && body.endReachable) {
      b.report("HG3121", span);
      return;
    }
    for (const result of body.results) {
      if (isVoid(signature.returns))
        b.report("HG3155", result, {}, body.isExpression ? "call or assign something" : undefined);
      else if (!converts(b, result, signature.returns))
        reportNoConversion(b, result, signature.returns, result);
    }
    return;
  }
  const name = bound.kind === "pendingMethods" ? bound.name : "this function";
  b.report("HG3106", span, { from: `method ${name}`, to: displayName(to) });
}
