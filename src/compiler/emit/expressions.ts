/**
 * Bound expression → closure. One function per kind of node, chosen by a table that the compiler checks for
 * completeness. Closures are specialised here, once, on what is known: constants, operand kinds, captured or not.
 */
import type {
  BoundAnonymous,
  BoundAs,
  BoundBinary,
  BoundCoalesce,
  BoundConditional,
  BoundConditionalAccess,
  BoundConstant,
  BoundConvert,
  BoundElement,
  BoundExpression,
  BoundIsNull,
  BoundIsType,
  BoundLiftedOperator,
  BoundLocal,
  BoundLogical,
  BoundNewArray,
  BoundSequence,
  BoundSwitchExpression,
  BoundThrowExpression,
  BoundTuple,
  BoundUnary,
} from "../csharp/bound.ts";
import { checkBytes, checkSize, spend } from "../runtime/budget.ts";
import { defaultOf, isInstance } from "../runtime/cast.ts";
import { invalidOperation, NetException, nullReference, overflow } from "../runtime/errors.ts";
import { AnonymousValue, anonymousNames, TupleValue } from "../runtime/tuple.ts";
import { type NamedType, type Type, type TypeDefinition, underlyingOfNullable } from "../runtime/type.ts";
import { NetArray, unboxed } from "../runtime/values.ts";
import { binaryOperator, lifted, unaryOperator } from "./arithmetic.ts";
import { emitAssign, emitUpdate } from "./assignments.ts";
import { emitCall, emitInvoke } from "./calls.ts";
import { type FunctionScope, type Run, declareLocal, readLocal } from "./code.ts";
import { converter } from "./conversions.ts";
import { paidArgument } from "./effort.ts";
import { emitLambda } from "./functions.ts";
import { emitKnownConvert } from "./known-calls.ts";
import { elementAt } from "./targets.ts";
import { emitConcat, emitInterpolation } from "./text.ts";

type Emitters = {
  readonly [K in BoundExpression["kind"]]: (
    node: Extract<BoundExpression, { kind: K }>,
    scope: FunctionScope,
  ) => Run;
};

const emitters: Emitters = {
  constant: emitConstant,
  context: () => (c) => c,
  local: emitLocal,
  call: emitCall,
  invoke: emitInvoke,
  newArray: emitNewArray,
  element: emitElement,
  arrayLength: (node, scope) => {
    const array = emitExpression(node.array, scope);
    return (c, f) => lengthOf(array(c, f));
  },
  tuple: emitTuple,
  tupleItem: (node, scope) => {
    const tuple = emitExpression(node.tuple, scope);
    const { index } = node;
    return (c, f) => (tuple(c, f) as TupleValue).items[index];
  },
  anonymous: emitAnonymous,
  convert: emitConvert,
  unary: emitUnary,
  binary: emitBinary,
  logical: emitLogical,
  liftedOperator: emitLiftedOperator,
  concat: emitConcat,
  interpolation: emitInterpolation,
  isNull: emitIsNull,
  isType: emitIsType,
  as: emitAs,
  conditional: emitConditional,
  coalesce: emitCoalesce,
  conditionalAccess: emitConditionalAccess,
  assign: emitAssign,
  update: emitUpdate,
  out: () => unreachable("an out argument outside a call"),
  sequence: emitSequence,
  lambda: emitLambda,
  switchExpression: emitSwitchExpression,
  throw: emitThrow,
  error: () => unreachable("an expression that did not bind"),
};

export function emitExpression(node: BoundExpression, scope: FunctionScope): Run {
  return (emitters[node.kind] as (node: BoundExpression, scope: FunctionScope) => Run)(node, scope);
}

function unreachable(what: string): never {
  throw new Error(`${what} cannot be emitted`);
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function emitConstant({ value }: BoundConstant): Run {
  return () => value;
}

function emitLocal(node: BoundLocal, scope: FunctionScope): Run {
  if (node.type.kind === "named" && node.type.definition.kind === "delegate") scope.touchesDelegates = true;
  return readLocal(node.symbol, node.slot);
}

const isByte = (type: Type): boolean => type.kind === "named" && type.name === "System.Byte";

function emitNewArray(node: BoundNewArray, scope: FunctionScope): Run {
  const { elementType } = node;
  if (node.elements !== null) {
    const runs = node.elements.map((element) => emitExpression(element, scope));
    if (isByte(elementType)) return (c, f) => Uint8Array.from(runs, (run) => run(c, f));
    return (c, f) =>
      new NetArray(
        elementType,
        runs.map((run) => run(c, f)),
      );
  }
  const size = emitExpression(node.size!, scope);
  if (isByte(elementType)) {
    return (c, f) => {
      const length = sizeOf(size(c, f));
      checkBytes(length);
      return new Uint8Array(length);
    };
  }
  const empty = defaultOf(elementType);
  return (c, f) => {
    const length = sizeOf(size(c, f));
    checkSize(length);
    spend(length >>> 6);
    return new NetArray(elementType, filled(length, empty));
  };
}

function filled(length: number, value: unknown): unknown[] {
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) items.push(value);
  return items;
}

function sizeOf(value: number | bigint): number {
  if (value < 0) throw overflow();
  return Number(value);
}

function emitElement(node: BoundElement, scope: FunctionScope): Run {
  const array = emitExpression(node.array, scope);
  const index = emitExpression(node.index, scope);
  if (node.index.type.name === "System.Int32") {
    return (c, f) => {
      const items = array(c, f);
      return elementAt(items, index(c, f));
    };
  }
  return (c, f) => {
    const items = array(c, f);
    return elementAt(items, Number(index(c, f)));
  };
}

function lengthOf(array: NetArray | Uint8Array | null): number {
  if (array === null) throw nullReference();
  return array instanceof NetArray ? array.items.length : array.length;
}

function emitTuple(node: BoundTuple, scope: FunctionScope): Run {
  const type = node.type as NamedType;
  const runs = node.elements.map((element) => emitExpression(element, scope));
  return (c, f) =>
    new TupleValue(
      type,
      runs.map((run) => run(c, f)),
    );
}

function emitAnonymous(node: BoundAnonymous, scope: FunctionScope): Run {
  const type = node.type as NamedType;
  const names = anonymousNames(type) ?? [];
  const runs = node.values.map((value) => emitExpression(value, scope));
  return (c, f) =>
    new AnonymousValue(
      type,
      names,
      runs.map((run) => run(c, f)),
    );
}

// ── Conversions and tests ───────────────────────────────────────────────────────────────────────────────────────────

function emitConvert(node: BoundConvert, scope: FunctionScope): Run {
  const known = emitKnownConvert(node, scope);
  if (known !== null) return known;
  const operand = emitExpression(node.operand, scope);
  const convert = converter(node.conversion, node.operand.type, node.type);
  return convert === null ? operand : (c, f) => convert(operand(c, f));
}

function emitIsNull(node: BoundIsNull, scope: FunctionScope): Run {
  const operand = emitExpression(node.operand, scope);
  return node.negated ? (c, f) => operand(c, f) !== null : (c, f) => operand(c, f) === null;
}

function emitIsType(node: BoundIsType, scope: FunctionScope): Run {
  const operand = emitExpression(node.operand, scope);
  const { target } = node;
  switch (target.name) {
    case "System.String":
      return (c, f) => typeof operand(c, f) === "string";
    case "System.Int32":
      return (c, f) => typeof operand(c, f) === "number";
    case "System.Boolean":
      return (c, f) => typeof operand(c, f) === "boolean";
    default:
      return (c, f) => isInstance(operand(c, f), target);
  }
}

function emitAs(node: BoundAs, scope: FunctionScope): Run {
  const operand = emitExpression(node.operand, scope);
  const inner = underlyingOfNullable(node.type);
  const target = inner ?? node.type;
  if (inner === null) {
    return (c, f) => {
      const value = operand(c, f);
      return isInstance(value, target) ? value : null;
    };
  }
  return (c, f) => {
    const value = operand(c, f);
    return isInstance(value, target) ? unboxed(value) : null;
  };
}

// ── Operators ───────────────────────────────────────────────────────────────────────────────────────────────────────

function enumOf(type: Type): TypeDefinition | null {
  const plain = underlyingOfNullable(type) ?? type;
  return plain.kind === "named" && plain.definition.kind === "enum" ? plain.definition : null;
}

const isConstant = (node: BoundExpression): boolean => node.kind === "constant";

function emitUnary(node: BoundUnary, scope: FunctionScope): Run {
  const operand = emitExpression(node.operand, scope);
  const operate = unaryOperator(node.operator, node.operandKind, node.checked, enumOf(node.type));
  if (node.lifted) {
    return (c, f) => {
      const value = operand(c, f);
      return value === null ? null : operate(value);
    };
  }
  if (node.operator === "!") return (c, f) => !operand(c, f);
  return (c, f) => operate(operand(c, f));
}

function emitBinary(node: BoundBinary, scope: FunctionScope): Run {
  const { operator, operandKind } = node;
  // Texts of unknown length are compared character by character.
  const isLong =
    (operandKind === "string" || operandKind === "object") &&
    !isConstant(node.left) &&
    !isConstant(node.right);
  const left = isLong
    ? paidArgument(emitExpression(node.left, scope), node.left.type)
    : emitExpression(node.left, scope);
  const right = emitExpression(node.right, scope);
  const operate = binaryOperator(operator, operandKind, node.checked, enumOf(node.type));
  if (node.lifted) {
    const lift = lifted(operator, operandKind, operate);
    return (c, f) => lift(left(c, f), right(c, f));
  }
  return emitInline(node, left, right) ?? ((c, f) => operate(left(c, f), right(c, f)));
}

/** What most expressions are made of, without the call of an operator function: comparisons, and int arithmetic. */
function emitInline(node: BoundBinary, left: Run, right: Run): Run | null {
  const { operator, operandKind, checked } = node;
  const isNumber = operandKind === "int" || operandKind === "double" || operandKind === "uint";
  if (isNumber || operandKind === "string" || operandKind === "bool" || operandKind === "reference") {
    if (node.right.kind === "constant") {
      const { value } = node.right as { value: any };
      if (operator === "==") return (c, f) => left(c, f) === value;
      if (operator === "!=") return (c, f) => left(c, f) !== value;
      if (isNumber && operator === "<") return (c, f) => left(c, f) < value;
      if (isNumber && operator === ">") return (c, f) => left(c, f) > value;
      if (isNumber && operator === "<=") return (c, f) => left(c, f) <= value;
      if (isNumber && operator === ">=") return (c, f) => left(c, f) >= value;
    }
    if (operator === "==") return (c, f) => left(c, f) === right(c, f);
    if (operator === "!=") return (c, f) => left(c, f) !== right(c, f);
    if (isNumber && operator === "<") return (c, f) => left(c, f) < right(c, f);
    if (isNumber && operator === ">") return (c, f) => left(c, f) > right(c, f);
  }
  if (operandKind === "int" && !checked) {
    if (operator === "+") return (c, f) => (left(c, f) + right(c, f)) | 0;
    if (operator === "-") return (c, f) => (left(c, f) - right(c, f)) | 0;
    if (operator === "*") return (c, f) => Math.imul(left(c, f), right(c, f));
  }
  return null;
}

function emitLogical(node: BoundLogical, scope: FunctionScope): Run {
  const left = emitExpression(node.left, scope);
  const right = emitExpression(node.right, scope);
  return node.operator === "&&" ? (c, f) => left(c, f) && right(c, f) : (c, f) => left(c, f) || right(c, f);
}

function emitLiftedOperator(node: BoundLiftedOperator, scope: FunctionScope): Run {
  const { code, mode } = node;
  const left = emitExpression(node.left, scope);
  if (node.right === null) {
    return (c, f) => {
      const value = left(c, f);
      return value === null ? null : code(value);
    };
  }
  const right = emitExpression(node.right, scope);
  return (c, f) => {
    const a = left(c, f);
    const b = right(c, f);
    if (a !== null && b !== null) return code(a, b);
    switch (mode) {
      case "value":
        return null;
      case "order":
        return false;
      case "equality":
        return a === b;
      case "inequality":
        return a !== b;
    }
  };
}

// ── Choosing ────────────────────────────────────────────────────────────────────────────────────────────────────────

function emitConditional(node: BoundConditional, scope: FunctionScope): Run {
  const condition = emitExpression(node.condition, scope);
  const whenTrue = emitExpression(node.whenTrue, scope);
  const whenFalse = emitExpression(node.whenFalse, scope);
  return (c, f) => (condition(c, f) ? whenTrue(c, f) : whenFalse(c, f));
}

function emitCoalesce(node: BoundCoalesce, scope: FunctionScope): Run {
  const left = emitExpression(node.left, scope);
  const right = emitExpression(node.right, scope);
  if (node.converted === null) {
    return (c, f) => {
      const value = left(c, f);
      return value === null ? right(c, f) : value;
    };
  }
  const keep = declareLocal(node.temp!);
  const converted = emitExpression(node.converted, scope);
  return (c, f) => {
    const value = left(c, f);
    if (value === null) return right(c, f);
    keep(f, value);
    return converted(c, f);
  };
}

function emitConditionalAccess(node: BoundConditionalAccess, scope: FunctionScope): Run {
  const receiver = emitExpression(node.receiver, scope);
  const keep = declareLocal(node.temp);
  const access = emitExpression(node.access, scope);
  const { slot, isCaptured } = node.temp;
  if (!isCaptured) {
    return (c, f) => {
      const value = receiver(c, f);
      if (value === null) return null;
      f[slot] = value;
      return access(c, f);
    };
  }
  return (c, f) => {
    const value = receiver(c, f);
    if (value === null) return null;
    keep(f, value);
    return access(c, f);
  };
}

function emitSequence(node: BoundSequence, scope: FunctionScope): Run {
  const steps = node.steps.map((step) => emitExpression(step, scope));
  const value = emitExpression(node.value, scope);
  const [first] = steps;
  if (steps.length === 1) {
    return (c, f) => {
      first!(c, f);
      return value(c, f);
    };
  }
  return (c, f) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(c, f);
    return value(c, f);
  };
}

function emitSwitchExpression(node: BoundSwitchExpression, scope: FunctionScope): Run {
  const subject = emitExpression(node.subject, scope);
  const keep = declareLocal(node.temp);
  const arms = node.arms.map((arm) => ({
    test: emitExpression(arm.test, scope),
    value: emitExpression(arm.value, scope),
  }));
  return (c, f) => {
    keep(f, subject(c, f));
    for (const { test, value } of arms) {
      if (test(c, f)) return value(c, f);
    }
    throw invalidOperation("Non-exhaustive switch expression failed to match its input.");
  };
}

function emitThrow(node: BoundThrowExpression, scope: FunctionScope): Run {
  const exception = emitExpression(node.exception, scope);
  return (c, f) => {
    throw thrown(exception(c, f));
  };
}

/** `throw null` throws a NullReferenceException. */
export function thrown(exception: NetException | null): NetException {
  return exception ?? nullReference();
}
