/** Square brackets: array elements, indexers, and C# 8's `^n` and ranges. */
import { type Type, bindings, displayName, substitute } from "../runtime/type.ts";
import { bindArguments } from "./binder-arguments.ts";
import { failedCall } from "./binder-call-failures.ts";
import { evaluationOrder, orderedArguments } from "./binder-calls.ts";
import { asValue, convert } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { bindExpression, bindTo } from "./binder-expressions.ts";
import { type FoundMember, findMembers, instanceMember, readProperty } from "./binder-members.ts";
import { binaryOperator } from "./binder-operators.ts";
import { elementTypeOf, isError, isString, isVoid, known } from "./binder-types.ts";
import { type Binder, assignTemp, constantNode, errorNode, sequence } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { methodCandidate, resolve } from "./overloads.ts";
import type { ElementExpression, Expression, Span } from "./tree.ts";

/** What `target[…]` is. */
export type Indexing =
  | {
      readonly kind: "array";
      readonly array: BoundExpression;
      readonly index: BoundExpression;
      readonly type: Type;
    }
  | {
      readonly kind: "indexer";
      readonly found: FoundMember;
      readonly receiver: BoundExpression;
      readonly arguments: readonly BoundExpression[];
      readonly order: readonly number[] | null;
    }
  | { readonly kind: "value"; readonly value: BoundExpression };

export function bindElement(b: Binder, node: ElementExpression): BoundExpression {
  const found = findIndexer(b, node);
  if (found === null) return errorNode(node);
  switch (found.kind) {
    case "value":
      return found.value;
    case "array":
      return {
        kind: "element",
        array: found.array,
        index: found.index,
        type: found.type,
        start: node.start,
        end: node.end,
      };
    case "indexer":
      return readProperty(b, found.found, found.receiver, found.arguments, node, found.order);
  }
}

/** Null when there is nothing to index (reported). */
export function findIndexer(b: Binder, node: ElementExpression): Indexing | null {
  const target = asValue(b, bindExpression(b, node.target));
  const { type } = target;
  const first = node.arguments[0]?.expression;
  const special =
    node.arguments.length === 1 &&
    first !== undefined &&
    (first.kind === "fromEnd" || first.kind === "range");
  if (special && !isError(type)) return fromEndOrRange(b, target, first, node);
  const args = bindArguments(b, node.arguments);
  if (isError(type)) return null;
  if (isVoid(type) || type.kind === "null") {
    b.report("HG3131", target, { type: isVoid(type) ? "void" : "null" });
    return null;
  }
  if (type.kind === "array") return arrayElement(b, target, type.element, args, node);
  const members = findMembers(type, "this[]");
  if (members.length === 0) {
    b.report(
      "HG3131",
      { start: node.target.end, end: node.end },
      { type: displayName(type) },
      indexerHint(type),
    );
    return null;
  }
  const candidates = members.map(({ member, declaring }) => methodCandidate(member, declaring));
  const resolved = resolve(b, candidates, args, null);
  if (resolved.kind !== "found") {
    failedCall(b, resolved, candidates, args, { start: node.target.end, end: node.end }, node);
    return null;
  }
  const { candidate } = resolved.best;
  const values = orderedArguments(b, resolved.best, args, node);
  const found = { member: candidate.member!, declaring: candidate.declaring! };
  return {
    kind: "indexer",
    found,
    receiver: target,
    arguments: values,
    order: evaluationOrder(resolved.best),
  };
}

function indexerHint(type: Type): string | null {
  if (type.kind === "named" && type.definition.fullName === "System.Object") {
    return "cast the value to its real type first, for example `((JObject)value)[…]`";
  }
  if (type.kind === "named" && type.definition.fullName.startsWith("System.ValueTuple")) {
    return "the parts of a tuple are `.Item1`, `.Item2`, …";
  }
  if (elementTypeOf(type) !== null) return "write `.ElementAt(…)`, or `.First()`";
  return findMembers(type, "As").length > 0
    ? "read it first: `.As<JObject>(preserveContent: true)[…]`"
    : null;
}

function arrayElement(
  b: Binder,
  array: BoundExpression,
  type: Type,
  args: ReturnType<typeof bindArguments>,
  node: ElementExpression,
): Indexing | null {
  const arg = args[0];
  if (arg === undefined || args.length !== 1) {
    b.report("HG3111", node, { member: "this array", count: args.length });
    return null;
  }
  const isLong = !converts(b, arg.bound, known.int()) && converts(b, arg.bound, known.long());
  return { kind: "array", array, index: convert(b, arg.bound, isLong ? known.long() : known.int()), type };
}

/** `a[^n]` counts from the end, `text[m..n]` cuts out. */
function fromEndOrRange(
  b: Binder,
  target: BoundExpression,
  index: Expression,
  node: ElementExpression,
): Indexing | null {
  const temp = b.temp(target.type, node);
  const receiver = b.read(temp, node);
  const sizeName = target.type.kind === "array" || isString(target.type) ? "Length" : "Count";
  if (sizeName === "Count" && findMembers(target.type, "Count").length === 0) {
    b.report("HG3131", node, { type: displayName(target.type) });
    return null;
  }
  const length = asValue(b, instanceMember(b, receiver, sizeName, node, node, null));
  const steps = [assignTemp(b, temp, target)];
  if (index.kind === "fromEnd") {
    const position = binaryOperator(b, "-", length, bindTo(b, index.operand, known.int()), index);
    const value = readAt(b, receiver, position, node);
    return value === null ? null : { kind: "value", value: sequence(steps, value, node) };
  }
  if (index.kind !== "range" || !isString(target.type)) {
    b.report("HG3148", index, { feature: "a range of anything but a string" }, "use `Skip(…).Take(…)`");
    return null;
  }
  const start = b.temp(known.int(), node);
  steps.push(assignTemp(b, start, bound(b, index.from, length, constantNode(0, known.int(), index))));
  const end = bound(b, index.to, length, length);
  const count = binaryOperator(b, "-", end, b.read(start, node), node);
  const cut = findMembers(known.string(), "Substring").find(({ member }) => member.parameters.length === 2)!;
  const candidate = methodCandidate(cut.member, cut.declaring);
  const value = readProperty(b, cut, receiver, [b.read(start, node), count], node);
  return { kind: "value", value: sequence(steps, { ...value, type: candidate.returns }, node) };
}

function bound(
  b: Binder,
  node: Expression | null,
  length: BoundExpression,
  otherwise: BoundExpression,
): BoundExpression {
  if (node === null) return otherwise;
  if (node.kind === "fromEnd")
    return binaryOperator(b, "-", length, bindTo(b, node.operand, known.int()), node);
  return bindTo(b, node, known.int());
}

function readAt(
  b: Binder,
  receiver: BoundExpression,
  index: BoundExpression,
  span: Span,
): BoundExpression | null {
  const { type } = receiver;
  if (type.kind === "array")
    return { kind: "element", array: receiver, index, type: type.element, start: span.start, end: span.end };
  const found = findMembers(type, "this[]").find(({ member, declaring }) => {
    const [only, more] = member.parameters;
    return (
      only !== undefined && more === undefined && substitute(only.type, bindings(declaring)) === known.int()
    );
  });
  if (found !== undefined) return readProperty(b, found, receiver, [index], span);
  b.report("HG3131", span, { type: displayName(type) });
  return null;
}
