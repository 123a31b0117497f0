/** Why a call fits no method, with the signatures there are. */
import { type Type, displayName } from "../runtime/type.ts";
import { suggest } from "../../base/suggest.ts";
import { asValue, convert } from "./binder-convert.ts";
import { lambdaBody } from "./binder-lambda.ts";
import { delegateSignature, isAmbiguousSequence, isError, isVoid } from "./binder-types.ts";
import { type Bound, isTyped } from "./binder-untyped.ts";
import { type Binder, errorNode } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import {
  type BoundArgument,
  type CandidateMethod,
  type Failure,
  type Resolution,
  signatureText,
} from "./overloads.ts";
import type { Span } from "./tree.ts";

/** Says why nothing fits, with the signatures there are. `skip` arguments (receivers) are not the author's. */
export function failedCall(
  b: Binder,
  found: Resolution,
  candidates: readonly CandidateMethod[],
  args: readonly BoundArgument[],
  span: Span,
  node: Span,
  skip = 0,
): BoundExpression {
  const returns = commonReturn(candidates);
  const result = (): BoundExpression => ({ ...errorNode(node), type: returns ?? errorNode(node).type });
  if (found.kind === "found") return result();
  if (args.some((arg) => isTyped(arg.bound) && isError(arg.bound.type) && !arg.isOut)) return result();
  for (const arg of args) {
    if (!isTyped(arg.bound) && arg.bound.kind === "pendingConditional") asValueQuietly(b, arg.bound);
  }
  const name = candidates[0]?.name === "this[]" ? "this element" : (candidates[0]?.name ?? "this");
  if (found.kind === "ambiguous") {
    b.report("HG3112", span, { member: name });
    return result();
  }
  if (reportLambdaErrors(b, found.failure, args)) return result();
  reportFailure(b, found.failure, candidates, args, span, name, skip);
  return result();
}

function asValueQuietly(b: Binder, bound: Bound): void {
  b.aside(() => asValue(b, bound));
}

function commonReturn(candidates: readonly CandidateMethod[]): Type | null {
  const first = candidates[0]?.returns;
  if (first === undefined || isVoid(first) || first.kind === "parameter") return null;
  return candidates.every((c) => c.returns === first && c.typeParameters.length === 0) ? first : null;
}

/** A lambda that does not compile is worth more words than the call it stands in. */
function reportLambdaErrors(b: Binder, failure: Failure, args: readonly BoundArgument[]): boolean {
  const only = failure.kind === "types" ? [args[failure.argument]!] : args;
  for (const { bound } of only) {
    if (bound.kind !== "pendingLambda") continue;
    if (failure.kind === "types" && bound.bodies.length === 0) {
      const signature = delegateSignature(failure.wanted);
      if (signature !== null && signature.parameters.length === bound.parameters.length)
        lambdaBody(b, bound, signature.parameters);
    }
    const bad = bound.bodies.map(({ body }) => body.diagnostics.filter((d) => d.severity === "error"));
    if (bad.length > 0 && bad.every((list) => list.length > 0)) {
      b.diagnostics.push(...bad[0]!);
      return true;
    }
  }
  return false;
}

function reportFailure(
  b: Binder,
  failure: Failure,
  candidates: readonly CandidateMethod[],
  args: readonly BoundArgument[],
  span: Span,
  name: string,
  skip: number,
): void {
  const signatures = signaturesHint(nearest(candidates, args.length));
  switch (failure.kind) {
    case "count":
      b.report("HG3111", span, { member: name, count: args.length - skip }, signatures);
      return;
    case "name": {
      const names = candidates.flatMap((c) => c.parameters.map((p) => p.name));
      const best = suggest(failure.name, names);
      b.report(
        "HG3137",
        args[failure.argument]!.node,
        { member: name, name: failure.name },
        best === null ? signatures : `did you mean \`${best}\`?`,
      );
      return;
    }
    case "out":
      b.report(
        "HG3136",
        args[failure.argument]!.node,
        { number: failure.argument + 1 - skip, mode: failure.wantsOut ? "out" : "no `out`" },
        signatures,
      );
      return;
    case "inference":
      b.report("HG3113", span, { member: name }, ambiguityHint(args));
      return;
    case "types": {
      const arg = args[failure.argument]!;
      // With a single candidate, or inside a lambda, the conversion that fails says it best.
      if ((candidates.length === 1 || arg.bound.kind === "pendingLambda") && !arg.isOut) {
        const { diagnostics } = b.aside(() => convert(b, arg.bound, failure.wanted));
        const first = diagnostics.find((d) => d.severity === "error");
        if (first !== undefined) {
          b.diagnostics.push(
            first.hint === undefined && signatures !== null ? { ...first, hint: signatures } : first,
          );
          return;
        }
      }
      const types = args
        .slice(skip)
        .map((a) => argumentText(a))
        .join(", ");
      b.report(
        "HG3110",
        arg.isOut || skip > failure.argument ? span : arg.bound,
        { member: name, arguments: types },
        signatures,
      );
    }
  }
}

/** A JObject is a sequence of tokens and of pairs at once, so nothing can be inferred from it. */
function ambiguityHint(args: readonly BoundArgument[]): string | undefined {
  const receiver = args[0];
  const type = receiver?.isReceiver === true ? receiver.bound.type : null;
  const isBoth = type?.kind === "named" && isAmbiguousSequence(type);
  return isBoth ? "write `.Properties()` before it" : undefined;
}

function argumentText(arg: BoundArgument): string {
  if (arg.isOut) return arg.outType === null ? "out var" : `out ${displayName(arg.outType)}`;
  const { bound } = arg;
  if (isTyped(bound)) return bound.type.kind === "null" ? "null" : displayName(bound.type);
  switch (bound.kind) {
    case "pendingLambda":
      return "lambda";
    case "pendingMethods":
      return `method ${bound.name}`;
    case "pendingTuple":
      return "tuple";
    default:
      return "…";
  }
}

/** Those that take this number of arguments first. */
function nearest(candidates: readonly CandidateMethod[], count: number): readonly CandidateMethod[] {
  const distance = (candidate: CandidateMethod): number => Math.abs(candidate.parameters.length - count);
  return [...candidates].sort((a, b) => distance(a) - distance(b));
}

export function signaturesHint(candidates: readonly CandidateMethod[]): string | null {
  if (candidates.length === 0) return null;
  const shown = [...new Set(candidates.map(signatureText))];
  const more = shown.length > 4 ? `, and ${shown.length - 4} more` : "";
  return `available: ${shown
    .slice(0, 4)
    .map((s) => `\`${s}\``)
    .join(", ")}${more}`;
}
