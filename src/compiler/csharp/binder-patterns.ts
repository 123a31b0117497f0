/**
 * `is`, `as`, patterns and switch expressions. A pattern becomes a boolean expression over the value, which is held
 * in a temporary; variables it declares are assigned on the way to `true`.
 */
import { type Type, displayName, isValueType, underlyingOfNullable } from "../runtime/type.ts";
import { asValue, cast, convert } from "./binder-convert.ts";
import { converts, naturalType } from "./binder-converts.ts";
import { bindExpression, bindValue } from "./binder-expressions.ts";
import { instanceMember } from "./binder-members.ts";
import { binaryOperator, toCondition } from "./binder-operators.ts";
import { bindTypeNode, typeByFullName, typeByShortName } from "./binder-type-names.ts";
import {
  admitsNull,
  isError,
  isReferenceType,
  isTupleType,
  isVoid,
  known,
  unwrapped,
} from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, assignTemp, constantNode, convertNode, errorNode, sequence } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { explicitConversion, sameType } from "./conversions.ts";
import { bestCommonType } from "./inference.ts";
import type {
  AsExpression,
  Designation,
  Expression,
  IsExpression,
  NamedTypeNode,
  Pattern,
  RecursivePattern,
  Span,
  Subpattern,
  SwitchExpression,
} from "./tree.ts";

export function bindIs(b: Binder, node: IsExpression): BoundExpression {
  const operand = bindValue(b, node.expression);
  if (isError(operand.type)) {
    // Its variables are declared all the same, so that they do not become unknown names.
    testPattern(b, node.pattern, errorNode(node.expression));
    return { ...errorNode(node), type: known.bool() };
  }
  if (isVoid(operand.type)) return b.fail("HG3134", operand, { member: "this" });
  if (isSimple(b, node.pattern))
    return { ...testPattern(b, node.pattern, operand), start: node.start, end: node.end };
  const temp = b.temp(operand.type, node.expression);
  const steps = [assignTemp(b, temp, operand)];
  return sequence(steps, testPattern(b, node.pattern, b.read(temp, node.expression)), node);
}

/** A pattern that looks at the value once. */
function isSimple(b: Binder, pattern: Pattern): boolean {
  if (pattern.kind === "typePattern") return true;
  if (pattern.kind === "typeOrConstantPattern") return typeOfPattern(b, pattern.type) !== null;
  return (
    pattern.kind === "constantPattern" &&
    pattern.expression.kind === "literal" &&
    pattern.expression.literal.type === "null"
  );
}

export function bindAs(b: Binder, node: AsExpression): BoundExpression {
  const operand = bindValue(b, node.expression);
  const type = bindTypeNode(b, node.type);
  if (isError(operand.type) || isError(type)) return { ...errorNode(node), type };
  if (!admitsNull(type)) {
    return b.fail(
      "HG3107",
      node,
      { from: displayName(operand.type), to: displayName(type) },
      `write \`as ${displayName(type)}?\`, or a cast`,
    );
  }
  if (operand.kind === "constant" && operand.value === null) return constantNode(null, type, node);
  const plan = explicitConversion(operand.type, type);
  if (plan === null || plan.kind === "user" || plan.kind === "numeric") {
    return { ...b.fail("HG3107", node, { from: displayName(operand.type), to: displayName(type) }), type };
  }
  if (plan.kind === "identity" || plan.kind === "upcast" || plan.kind === "wrap")
    return convert(b, operand, type);
  return { kind: "as", operand: boxed(operand), type, start: node.start, end: node.end };
}

function boxed(node: BoundExpression): BoundExpression {
  return isValueType(node.type) ? convertNode({ kind: "box" }, node, known.object()) : node;
}

// ── Patterns ────────────────────────────────────────────────────────────────────────────────────────────────────────

const yes = (span: Span): BoundExpression => constantNode(true, known.bool(), span);

function both(left: BoundExpression, right: BoundExpression, span: Span): BoundExpression {
  if (left.kind === "constant" && left.value === true) return right;
  if (right.kind === "constant" && right.value === true) return left;
  return {
    kind: "logical",
    operator: "&&",
    left,
    right,
    type: known.bool(),
    start: span.start,
    end: span.end,
  };
}

/** The condition under which `input` (read more than once) matches. */
export function testPattern(b: Binder, pattern: Pattern, input: BoundExpression): BoundExpression {
  b.step();
  switch (pattern.kind) {
    case "typePattern":
      return testType(b, input, bindTypeNode(b, pattern.type), pattern);
    case "typeOrConstantPattern": {
      const type = typeOfPattern(b, pattern.type);
      return type === null
        ? testConstant(b, input, pattern.expression, pattern)
        : testType(b, input, bindTypeNode(b, pattern.type), pattern);
    }
    case "constantPattern":
      return testConstant(b, input, pattern.expression, pattern);
    case "declarationPattern": {
      const type = pattern.type.kind === "varType" ? input.type : bindTypeNode(b, pattern.type);
      const test = pattern.type.kind === "varType" ? yes(pattern) : testType(b, input, type, pattern);
      return both(test, designate(b, pattern.designation, input, type), pattern);
    }
    case "varPattern":
      return designate(b, pattern.designation, input, input.type);
    case "discardPattern":
      return yes(pattern);
    case "relationalPattern":
      return testRelation(b, input, pattern.operator, pattern.expression, pattern);
    case "notPattern": {
      const operand = testPattern(b, pattern.pattern, input);
      return {
        kind: "unary",
        operator: "!",
        operand,
        operandKind: "bool",
        checked: false,
        lifted: false,
        type: known.bool(),
        start: pattern.start,
        end: pattern.end,
      };
    }
    case "binaryPattern": {
      const left = testPattern(b, pattern.left, input);
      const right = testPattern(b, pattern.right, input);
      const operator = pattern.operator === "and" ? "&&" : "||";
      return {
        kind: "logical",
        operator,
        left,
        right,
        type: known.bool(),
        start: pattern.start,
        end: pattern.end,
      };
    }
    case "recursivePattern":
      return testRecursive(b, pattern, input);
  }
}

/** The type a dotted name means, or null when it is no type (then it is a constant). */
function typeOfPattern(b: Binder, node: NamedTypeNode): unknown {
  const first = node.parts[0]!;
  const arity = node.parts.at(-1)!.typeArguments?.length ?? 0;
  if (node.parts.length === 1)
    return b.scope.lookup(first.name) === null ? typeByShortName(first.name, arity) : null;
  return typeByFullName(node.parts.map((part) => part.name).join("."), arity);
}

function testType(b: Binder, input: BoundExpression, written: Type, span: Span): BoundExpression {
  const target = unwrapped(written);
  if (isError(input.type) || isError(target)) return { ...errorNode(span), type: known.bool() };
  const at = { start: span.start, end: span.end };
  const plan = input.type.kind === "null" ? null : explicitConversion(input.type, target);
  if (
    plan === null ||
    plan.kind === "user" ||
    (plan.kind === "numeric" && !sameType(unwrapped(input.type), target))
  ) {
    return {
      ...b.fail("HG3162", span, { type: displayName(input.type), target: displayName(target) }),
      type: known.bool(),
    };
  }
  const notNull = (): BoundExpression => ({
    kind: "isNull",
    operand: input,
    negated: true,
    type: known.bool(),
    ...at,
  });
  if (sameType(unwrapped(input.type), target) || plan.kind === "upcast" || plan.kind === "identity")
    return notNull();
  if (plan.kind === "box") return notNull();
  return { kind: "isType", operand: boxed(input), target, type: known.bool(), ...at };
}

/** The input as a `type` that a test has just made sure of. */
function narrowed(b: Binder, input: BoundExpression, type: Type, span: Span): BoundExpression {
  return sameType(input.type, type) ? input : cast(b, input, type, span);
}

function testConstant(b: Binder, input: BoundExpression, node: Expression, span: Span): BoundExpression {
  const value = bindValue(b, node);
  if (isError(value.type) || isError(input.type)) return { ...errorNode(span), type: known.bool() };
  if (value.kind !== "constant") return { ...b.fail("HG3143", node), type: known.bool() };
  if (value.value === null) {
    if (!admitsNull(input.type))
      return {
        ...b.fail("HG3162", span, { type: displayName(input.type), target: "null" }),
        type: known.bool(),
      };
    return {
      kind: "isNull",
      operand: input,
      negated: false,
      type: known.bool(),
      start: span.start,
      end: span.end,
    };
  }
  return compareWith(b, input, "==", value, span);
}

function testRelation(
  b: Binder,
  input: BoundExpression,
  operator: "<" | ">" | "<=" | ">=",
  node: Expression,
  span: Span,
): BoundExpression {
  const value = bindValue(b, node);
  if (isError(value.type) || isError(input.type)) return { ...errorNode(span), type: known.bool() };
  if (value.kind !== "constant" || value.value === null)
    return { ...b.fail("HG3143", node), type: known.bool() };
  return compareWith(b, input, operator, value, span);
}

/** `input op value`; an `object` is first tested for the constant's type. */
function compareWith(
  b: Binder,
  input: BoundExpression,
  operator: "==" | "<" | ">" | "<=" | ">=",
  value: BoundExpression,
  span: Span,
): BoundExpression {
  const bare = unwrapped(input.type);
  const general = isReferenceType(input.type) && !sameType(input.type, value.type);
  if (general) {
    const test = testType(b, input, value.type, span);
    if (test.kind === "error") return test;
    return both(test, binaryOperator(b, operator, narrowed(b, input, value.type, span), value, span), span);
  }
  if (!converts(b, value, bare)) {
    return {
      ...b.fail("HG3106", span, { from: displayName(value.type), to: displayName(bare) }),
      type: known.bool(),
    };
  }
  return binaryOperator(b, operator, input, convert(b, value, bare), span);
}

/** Assigns the variable a pattern declares; always true. */
function designate(b: Binder, designation: Designation, input: BoundExpression, type: Type): BoundExpression {
  switch (designation.kind) {
    case "discardDesignation":
      return yes(designation);
    case "singleDesignation": {
      const symbol = b.declare("local", designation.name, type, designation);
      if (isError(type) || isError(input.type)) return { ...errorNode(designation), type: known.bool() };
      const value = narrowed(b, input, type, designation);
      const assign: BoundExpression = {
        kind: "assign",
        target: { kind: "local", symbol, slot: symbol.slot },
        value,
        declares: false,
        type,
        start: designation.start,
        end: designation.end,
      };
      return sequence([assign], yes(designation), designation);
    }
    case "tupleDesignation": {
      const parts = designation.elements.map((element): Subpattern => ({
        start: element.start,
        end: element.end,
        path: [],
        pattern: { kind: "varPattern", designation: element, start: element.start, end: element.end },
      }));
      return testPositions(b, parts, input, designation);
    }
  }
}

function testRecursive(b: Binder, pattern: RecursivePattern, input: BoundExpression): BoundExpression {
  const type = pattern.type === null ? unwrapped(input.type) : bindTypeNode(b, pattern.type);
  let test: BoundExpression =
    admitsNull(input.type) || pattern.type !== null ? testType(b, input, type, pattern) : yes(pattern);
  if (isError(type) || isError(input.type)) return { ...errorNode(pattern), type: known.bool() };
  const temp = b.temp(type, pattern);
  const read = (): BoundExpression => b.read(temp, pattern);
  let inner: BoundExpression = yes(pattern);
  if (pattern.positions !== null)
    inner = both(inner, testPositions(b, pattern.positions, read(), pattern), pattern);
  for (const property of pattern.properties ?? [])
    inner = both(inner, testProperty(b, property, read()), pattern);
  if (pattern.designation !== null)
    inner = both(inner, designate(b, pattern.designation, read(), type), pattern);
  test = both(
    test,
    sequence([assignTemp(b, temp, narrowed(b, input, type, pattern))], inner, pattern),
    pattern,
  );
  return test;
}

function testPositions(
  b: Binder,
  positions: readonly Subpattern[],
  input: BoundExpression,
  span: Span,
): BoundExpression {
  const { type } = input;
  if (!isTupleType(type) || type.args.length !== positions.length) {
    if (isError(type)) return { ...errorNode(span), type: known.bool() };
    return {
      ...b.fail("HG3158", span, {
        left: positions.length,
        right: isTupleType(type) ? type.args.length : displayName(type),
      }),
      type: known.bool(),
    };
  }
  let test: BoundExpression = yes(span);
  positions.forEach((position, index) => {
    const item: BoundExpression = {
      kind: "tupleItem",
      tuple: input,
      index,
      type: type.args[index]!,
      start: span.start,
      end: span.end,
    };
    test = both(test, testPattern(b, position.pattern, item), span);
  });
  return test;
}

/** `{ A.B: p }`: each step of the path but the last must not be null. */
function testProperty(b: Binder, property: Subpattern, input: BoundExpression): BoundExpression {
  let test: BoundExpression = yes(property);
  let value = input;
  for (const [i, name] of property.path.entries()) {
    if (i > 0 && admitsNull(value.type)) {
      test = both(
        test,
        {
          kind: "isNull",
          operand: value,
          negated: true,
          type: known.bool(),
          start: property.start,
          end: property.end,
        },
        property,
      );
      value =
        underlyingOfNullable(value.type) === null ? value : cast(b, value, unwrapped(value.type), property);
    }
    value = asValue(b, instanceMember(b, value, name, property, property, null));
    if (isError(value.type)) return { ...errorNode(property), type: known.bool() };
    const temp = b.temp(value.type, property);
    const assign = assignTemp(b, temp, value);
    test = both(test, sequence([assign], yes(property), property), property);
    value = b.read(temp, property);
  }
  return both(test, testPattern(b, property.pattern, value), property);
}

// ── Switch expressions ──────────────────────────────────────────────────────────────────────────────────────────────

export function bindSwitchExpression(b: Binder, node: SwitchExpression): Bound {
  const subject = bindValue(b, node.subject);
  const temp = b.temp(subject.type, node.subject);
  const outer = b.scope;
  const arms = node.arms.map((arm) => {
    const scope = b.nested();
    const bound = b.within(scope, () => {
      let test = testPattern(b, arm.pattern, b.read(temp, arm.pattern));
      if (arm.guard !== null)
        test = both(test, toCondition(b, bindExpression(b, arm.guard), arm.guard), arm.pattern);
      return { test, value: bindExpression(b, arm.value) };
    });
    outer.locals.push(...scope.locals);
    return bound;
  });
  const span = { start: node.start, end: node.end };
  const values = arms.map((arm) => arm.value);
  const type = bestCommonType(b, values, converts);
  if (type === null && values.some((value) => naturalType(b, value)?.kind === "error"))
    return errorNode(node);
  const pending: Bound = { kind: "pendingSwitch", type: null, subject, temp, arms, ...span };
  return type === null ? pending : convert(b, pending, type);
}
