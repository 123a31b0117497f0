/** `for` and `foreach`. */
import { type Type, bindings, displayName, substitute } from "../runtime/type.ts";
import { assignment } from "./binder-assign.ts";
import { cast } from "./binder-convert.ts";
import { bindDeclarations } from "./binder-declarations.ts";
import { deconstructInto } from "./binder-deconstruct.ts";
import { bindExpression, bindValue } from "./binder-expressions.ts";
import { findMembers } from "./binder-members.ts";
import { memberCall } from "./binder-nodes.ts";
import { toCondition } from "./binder-operators.ts";
import { bindEffect, bindLoopBody } from "./binder-statements.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import {
  ERROR_TYPE,
  elementTypeOf,
  isAmbiguousSequence,
  isError,
  isNamed,
  isString,
  ownEnumerator,
} from "./binder-types.ts";
import { type Binder, sequence } from "./binder.ts";
import type { BoundExpression, BoundForeach, BoundStatement, LocalSymbol } from "./bound.ts";
import type { ForStatement, ForeachStatement } from "./tree.ts";

export function bindFor(b: Binder, node: ForStatement): BoundStatement {
  const scope = b.nested();
  return b.within(scope, () => {
    const initializers: BoundStatement[] =
      node.declaration !== null ? bindDeclarations(b, node.declaration) : [];
    for (const effect of node.initializers) {
      initializers.push({
        kind: "expressionStatement",
        expression: bindEffect(b, effect),
        start: effect.start,
        end: effect.end,
      });
    }
    const condition =
      node.condition === null ? null : toCondition(b, bindExpression(b, node.condition), node.condition);
    const incrementors = node.incrementors.map((effect) => bindEffect(b, effect));
    const body = bindLoopBody(b, node.body);
    return {
      kind: "for",
      locals: scope.locals,
      initializers,
      condition,
      incrementors,
      body,
      start: node.start,
      end: node.end,
    };
  });
}

export function bindForeach(b: Binder, node: ForeachStatement): BoundStatement {
  const source = bindValue(b, node.source);
  const elementType = isError(source.type) ? ERROR_TYPE : elementTypeOf(source.type);
  if (elementType === null)
    b.report("HG3130", node.source, { type: displayName(source.type) }, foreachHint(source.type));
  const type = elementType ?? ERROR_TYPE;
  const scope = b.nested();
  return b.within(scope, () => {
    const { element, prepare } = loopVariable(b, node, type);
    const body = bindLoopBody(b, node.body);
    const sourceKind = sourceKindOf(source.type);
    return {
      kind: "foreach",
      source: enumerated(source),
      sourceKind,
      element,
      prepare,
      locals: scope.locals,
      body,
      start: node.start,
      end: node.end,
    };
  });
}

/** The class's own enumerator where it is a sequence of several kinds, as JObject is. */
function enumerated(source: BoundExpression): BoundExpression {
  if (source.type.kind !== "named") return source;
  const own = ownEnumerator(source.type);
  if (own === null || !isAmbiguousSequence(source.type)) return source;
  const { member, declaring } = own;
  return memberCall(
    member,
    declaring.args,
    source,
    [],
    substitute(member.returns, bindings(declaring)),
    source,
  );
}

function foreachHint(type: Type): string | null {
  if (isNamed(type, "Newtonsoft.Json.Linq.JToken") || isNamed(type, "System.Object"))
    return "cast it: `(JArray)…`";
  return findMembers(type, "As").length > 0 ? "read it first: `.As<JArray>(preserveContent: true)`" : null;
}

function sourceKindOf(type: Type): BoundForeach["sourceKind"] {
  if (isString(type)) return "string";
  if (type.kind !== "array") return "iterable";
  return isNamed(type.element, "System.Byte") ? "bytes" : "array";
}

function loopVariable(
  b: Binder,
  node: ForeachStatement,
  type: Type,
): { element: LocalSymbol; prepare: BoundExpression | null } {
  const { target } = node;
  if (target.kind === "declaration" && target.designation.kind !== "tupleDesignation") {
    const written = target.type.kind === "varType" ? type : bindTypeNode(b, target.type);
    const { designation } = target;
    const name = designation.kind === "singleDesignation" ? designation.name : "_";
    if (written === type || isError(written) || isError(type))
      return { element: b.declare("loop", name, written, designation), prepare: null };
    const element = b.temp(type, target);
    const value = cast(b, b.read(element, target), written, target);
    const symbol = b.declare("loop", name, written, designation);
    return { element, prepare: assignment(b, { kind: "local", symbol, slot: symbol.slot }, value, target) };
  }
  const element = b.temp(type, target);
  const steps = isError(type) ? [] : deconstructInto(b, target, b.read(element, target), target);
  const last = steps.at(-1);
  return { element, prepare: last === undefined ? null : sequence(steps.slice(0, -1), last, target) };
}
