/** Local variables, constants and local functions. */
import type { Type } from "../runtime/type.ts";
import { asValue, convert } from "./binder-convert.ts";
import { naturalType } from "./binder-converts.ts";
import { fillArray } from "./binder-create.ts";
import { bindExpression, bindTo } from "./binder-expressions.ts";
import { Scope, newFunction } from "./binder-scope.ts";
import { bindBlock, bindEffect, blockOf } from "./binder-statements.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { ERROR_TYPE, isError, isVoid, known } from "./binder-types.ts";
import type { Bound, LocalFunction, LocalParameter } from "./binder-untyped.ts";
import { type Binder, errorNode } from "./binder.ts";
import type { BoundBlock, BoundExpression, BoundFunction, BoundStatement, LocalSymbol } from "./bound.ts";
import { endsReachable } from "./flow.ts";
import type { Declarator, Expression, LocalDeclarationStatement, LocalFunctionStatement } from "./tree.ts";

// ── Declarations ────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindDeclarations(b: Binder, node: LocalDeclarationStatement): BoundStatement[] {
  const written = node.type.kind === "varType" ? null : bindTypeNode(b, node.type);
  const second = node.declarators[1];
  if (written === null && second !== undefined)
    b.report(
      "HG3148",
      second,
      { feature: "more than one variable with a single `var`" },
      "give it a declaration of its own",
    );
  if (written !== null && isVoid(written))
    b.report("HG3106", node.type, { from: "void", to: "a variable" }, null);
  return node.declarators.flatMap((declarator) =>
    node.modifier === "const"
      ? declareConstant(b, declarator, written)
      : [declareVariable(b, declarator, written)],
  );
}

function declareVariable(b: Binder, node: Declarator, written: Type | null): BoundStatement {
  const name = { start: node.nameStart, end: node.nameEnd };
  let initializer: BoundExpression | null = null;
  let type = written;
  if (node.initializer !== null) {
    initializer = initialValue(b, node.initializer, written);
    type ??= initializer.type;
  }
  const symbol = b.declare("local", node.name, type ?? ERROR_TYPE, name);
  return { kind: "declare", symbol, initializer, start: node.start, end: node.end };
}

/** The value of a declared variable. With `var` (no type) it must have a type of its own. */
function initialValue(b: Binder, node: Expression, type: Type | null): BoundExpression {
  if (node.kind === "arrayInitializer") {
    return type === null
      ? b.fail("HG3128", node, { what: "`{ … }`" }, "write `new[] { … }`")
      : fillArray(b, node, type, node);
  }
  const bound = bindExpression(b, node);
  if (type !== null) return convert(b, bound, type);
  const what = untypedText(b, bound);
  if (what === null) return asValue(b, bound);
  if (bound.kind === "pendingMethods") {
    const written = `${bound.name}${bound.typeArguments === null ? "" : "<…>"}()`;
    return b.fail(
      "HG3128",
      { start: bound.nameStart, end: bound.nameEnd },
      { what },
      `call it: \`${written}\``,
    );
  }
  return b.fail("HG3128", node, { what });
}

function untypedText(b: Binder, bound: Bound): string | null {
  const natural = naturalType(b, bound);
  if (natural !== null)
    return natural.kind === "null" ? "null" : isVoid(natural) ? "a call that gives no value" : null;
  switch (bound.kind) {
    case "pendingLambda":
      return "a lambda";
    case "pendingMethods":
    case "pendingLocalFunction":
      return "a method that is not called";
    case "pendingDefault":
      return "`default`";
    case "pendingNew":
      return "`new()`";
    case "throw":
      return "throw";
    default:
      return null;
  }
}

function declareConstant(b: Binder, node: Declarator, written: Type | null): BoundStatement[] {
  const name = { start: node.nameStart, end: node.nameEnd };
  const type = written ?? ERROR_TYPE;
  let value: BoundExpression = errorNode(node);
  if (node.initializer !== null) value = initialValue(b, node.initializer, written);
  if (value.kind !== "constant" && value.kind !== "error") {
    b.report("HG3143", node.initializer ?? node, {}, "leave out `const`");
    value = errorNode(node);
  }
  const known = { ...value, type: isError(value.type) ? type : value.type };
  if (!b.scope.declare(node.name, { kind: "constant", value: known }))
    b.report("HG3123", name, { name: node.name });
  return [];
}

// ── Local functions ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Declares the name; the returned function binds the body. */
export function declareFunction(b: Binder, node: LocalFunctionStatement): () => void {
  const name = { start: node.nameStart, end: node.nameEnd };
  if (node.typeParameters.length > 0) b.report("HG3148", name, { feature: "a generic local function" });
  const returnType = bindTypeNode(b, node.returnType);
  const parameters = node.parameters.map((parameter): LocalParameter => {
    const type = bindTypeNode(b, parameter.type);
    const mode =
      parameter.modifier === "params" || parameter.modifier === "out" ? parameter.modifier : "value";
    if (parameter.modifier === "out")
      b.report("HG3148", parameter, { feature: "an `out` parameter of a local function" }, "return a tuple");
    if (parameter.defaultValue === null) return { name: parameter.name, type, mode };
    const value = bindTo(b, parameter.defaultValue, type);
    if (value.kind !== "constant" && value.kind !== "error") b.report("HG3143", parameter.defaultValue);
    return { name: parameter.name, type, mode, optional: { value } };
  });
  const fn = newFunction(b.function, returnType);
  const symbol = functionSymbol(b, node.name, name);
  const local: LocalFunction = { name: node.name, symbol, parameters, returnType };
  if (!b.scope.declare(node.name, { kind: "function", local })) b.report("HG3123", name, { name: node.name });
  b.scope.functions.push({ symbol, function: fn });
  b.scope.locals.push(symbol);
  return () => bindFunctionBody(b, node, local, fn);
}

function functionSymbol(b: Binder, name: string, span: { start: number; end: number }): LocalSymbol {
  const slot = b.function.slotCount++;
  return {
    name,
    type: known.object(),
    kind: "function",
    function: b.function,
    slot,
    isCaptured: false,
    ...span,
  };
}

function bindFunctionBody(
  b: Binder,
  node: LocalFunctionStatement,
  local: LocalFunction,
  fn: BoundFunction & { parameters: LocalSymbol[] },
): void {
  const outer = { returns: b.returns, surroundings: b.surroundings };
  b.returns = null;
  b.surroundings = { loop: false, switch: null, catch: false };
  const scope = new Scope(b.scope, fn);
  b.within(scope, () => {
    node.parameters.forEach((parameter, i) => {
      fn.parameters.push(b.declare("parameter", parameter.name, local.parameters[i]!.type, parameter));
    });
    if (node.body.kind === "block") {
      const body = bindBlock(b, node.body);
      fn.body = body;
      if (!isVoid(local.returnType) && !isError(local.returnType) && endsReachable(body)) {
        b.report("HG3121", { start: node.nameStart, end: node.nameEnd });
      }
    } else {
      const value = isVoid(local.returnType)
        ? bindEffect(b, node.body)
        : bindTo(b, node.body, local.returnType);
      const { start, end } = value;
      fn.body =
        scope.locals.length === 0
          ? value
          : blockWithLocals(
              scope.locals,
              isVoid(local.returnType)
                ? { kind: "expressionStatement", expression: value, start, end }
                : { kind: "return", expression: value, start, end },
            );
    }
  });
  b.returns = outer.returns;
  b.surroundings = outer.surroundings;
}

const blockWithLocals = (locals: readonly LocalSymbol[], statement: BoundStatement): BoundBlock => ({
  ...blockOf([statement], statement),
  locals,
});
