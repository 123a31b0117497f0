/** The arguments of everything that takes some. */
import type { Type } from "../runtime/type.ts";
import { bindTarget } from "./binder-assign.ts";
import { asValue } from "./binder-convert.ts";
import { bindExpression, bindTypeof } from "./binder-expressions.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, errorNode } from "./binder.ts";
import type { BoundTarget } from "./bound.ts";
import type { BoundArgument } from "./overloads.ts";
import type { Argument } from "./tree.ts";

/** An argument as written; `out` targets are bound when the parameter is known. */
interface WrittenArgument extends BoundArgument {
  readonly node: Argument;
}

export function bindArguments(b: Binder, nodes: readonly Argument[]): WrittenArgument[] {
  const names = new Set<string>();
  return nodes.map((node) => {
    if (node.name !== null && names.has(node.name)) b.report("HG3159", node, { name: node.name });
    if (node.name !== null) names.add(node.name);
    const common = { name: node.name, node };
    if (node.mode !== "out") {
      const { expression } = node;
      const bound = expression.kind === "typeof" ? bindTypeof(b, expression) : bindExpression(b, expression);
      if (bound.kind === "pendingType" || bound.kind === "pendingNamespace")
        return { ...common, bound: asValue(b, bound), isOut: false, outType: null };
      return { ...common, bound, isOut: false, outType: null };
    }
    return { ...common, bound: errorNode(node), isOut: true, outType: outTypeOf(b, node) };
  });
}

/** The type of an `out` argument where it has one of its own. */
function outTypeOf(b: Binder, node: Argument): Type | null {
  const { expression } = node;
  if (expression.kind === "declaration")
    return expression.type.kind === "varType" ? null : bindTypeNode(b, expression.type);
  if (expression.kind === "name" && expression.name === "_" && b.scope.lookup("_") === null) return null;
  return bindTarget(b, expression, "out")?.type ?? null;
}

/** Values that are already there, as arguments by position. */
export function bindArgumentsAs(values: readonly Bound[]): BoundArgument[] {
  return values.map((bound) => ({ bound, name: null, isOut: false, outType: null, node: bound }));
}

/** The `out` target of an argument, declaring its variable when it says `out var x`. */
export function outTarget(b: Binder, arg: BoundArgument, type: Type): BoundTarget {
  const node = (arg as WrittenArgument).node.expression;
  if (node === undefined || (node.kind === "name" && node.name === "_" && b.scope.lookup("_") === null))
    return { kind: "discard" };
  if (node.kind === "declaration") {
    if (node.designation.kind !== "singleDesignation") return { kind: "discard" };
    const symbol = b.declare("local", node.designation.name, type, node.designation);
    return { kind: "local", symbol, slot: symbol.slot };
  }
  return b.aside(() => bindTarget(b, node, "out")).result?.target ?? { kind: "discard" };
}
