/** One expression of the syntax tree → a bound form. The larger families have files of their own. */
import { type Type, displayName, instantiate, underlyingOfNullable } from "../runtime/type.ts";
import { decimalLiteral } from "../runtime/library/decimal-arithmetic.ts";
import { TypeObject } from "../runtime/library/object.ts";
import { MAX_TUPLE } from "../runtime/tuple.ts";
import { typeNamed } from "../runtime/values.ts";
import { suggest } from "../../base/suggest.ts";
import { bindAssignment, bindStep } from "./binder-assign.ts";
import { bindCall } from "./binder-calls.ts";
import { asValue, cast, convert } from "./binder-convert.ts";
import { converts, naturalType } from "./binder-converts.ts";
import { bindAnonymous, bindImplicitArray, bindNew, bindNewArray } from "./binder-create.ts";
import { bindElement } from "./binder-indexers.ts";
import { bindLambda } from "./binder-lambda.ts";
import { bindMember } from "./binder-members.ts";
import { defaultNode } from "./binder-nodes.ts";
import { bindBinary, bindUnary, toCondition } from "./binder-operators.ts";
import { bindAs, bindIs, bindSwitchExpression } from "./binder-patterns.ts";
import { bindQuery } from "./binder-query.ts";
import { concatenation } from "./binder-text.ts";
import {
  bindTypeNode,
  isNamespace,
  nameableTypes,
  reportUnknownType,
  typeByShortName,
  unsupportedType,
} from "./binder-type-names.ts";
import { NULL_TYPE, admitsNull, isError, isVoid, known, nullableOf, numericType } from "./binder-types.ts";
import { insteadOf } from "./binder-unsupported.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, constantNode, convertNode, errorNode } from "./binder.ts";
import type { BoundExpression, InterpolationHole } from "./bound.ts";
import { implicitConversion, sameType } from "./conversions.ts";
import type {
  ConditionalAccessExpression,
  ConditionalExpression,
  Expression,
  InterpolatedExpression,
  LiteralExpression,
  NameExpression,
  NameofExpression,
  TypeofExpression,
} from "./tree.ts";

export function bindExpression(b: Binder, node: Expression): Bound {
  b.step();
  switch (node.kind) {
    case "literal":
      return bindLiteral(node);
    case "interpolated":
      return bindInterpolated(b, node);
    case "name":
      return bindName(b, node);
    case "typeExpression":
      return {
        kind: "pendingType",
        type: null,
        named: bindTypeNode(b, node.type),
        start: node.start,
        end: node.end,
      };
    case "paren":
      return bindExpression(b, node.expression);
    case "tuple":
      if (node.elements.length > MAX_TUPLE)
        return b.fail("HG3148", node, { feature: `a tuple of more than ${MAX_TUPLE} elements` });
      return {
        kind: "pendingTuple",
        type: null,
        elements: node.elements.map((element) => bindExpression(b, element.expression)),
        names: node.elements.map((element) => element.name),
        start: node.start,
        end: node.end,
      };
    case "member":
      return bindMember(b, bindExpression(b, node.target), node);
    case "element":
      return bindElement(b, node);
    case "call":
      return bindCall(b, node);
    case "conditionalAccess":
      return bindConditionalAccess(b, node);
    case "receiver": {
      const temp = b.receivers.at(-1);
      return temp === undefined ? errorNode(node) : b.read(temp, node);
    }
    case "new":
      return bindNew(b, node);
    case "newArray":
      return bindNewArray(b, node);
    case "newImplicitArray":
      return bindImplicitArray(b, node);
    case "anonymousObject":
      return bindAnonymous(b, node);
    case "typeof":
      return b.fail("HG3144", node);
    case "default":
      if (node.type === null) return { kind: "pendingDefault", type: null, start: node.start, end: node.end };
      return defaultOf(bindTypeNode(b, node.type), node);
    case "nameof":
      return bindNameof(b, node);
    case "checked": {
      const outer = b.checked;
      b.checked = node.checked;
      const inner = bindExpression(b, node.expression);
      b.checked = outer;
      return inner;
    }
    case "unary":
      return node.operator === "++" || node.operator === "--" ? bindStep(b, node, "new") : bindUnary(b, node);
    case "postfix":
      return bindStep(b, node, "old");
    case "cast": {
      const type = bindTypeNode(b, node.type);
      return cast(b, bindExpression(b, node.expression), type, node);
    }
    case "binary":
      return bindBinary(b, node);
    case "is":
      return bindIs(b, node);
    case "as":
      return bindAs(b, node);
    case "conditional":
      return bindConditional(b, node);
    case "assignment":
      return bindAssignment(b, node);
    case "throw": {
      const exception = convert(b, bindExpression(b, node.expression), known.exception());
      return { kind: "throw", exception, type: NULL_TYPE, start: node.start, end: node.end };
    }
    case "lambda":
      return bindLambda(b, node);
    case "query":
      return bindQuery(b, node);
    case "switchExpression":
      return bindSwitchExpression(b, node);
    case "arrayInitializer":
      return b.fail("HG3160", node, {}, "write `new[] { … }`");
    case "range":
    case "fromEnd":
      return b.fail("HG3148", node, { feature: "an index or range outside of square brackets" });
    case "declaration":
      return b.fail(
        "HG3148",
        node,
        { feature: "a declaration in this place" },
        "declare the variable in a statement of its own",
      );
    case "missing":
      return errorNode(node);
  }
}

/** An expression as a value with a type of its own. */
export function bindValue(b: Binder, node: Expression): BoundExpression {
  return asValue(b, bindExpression(b, node));
}

/** An expression where `type` is wanted. */
export function bindTo(b: Binder, node: Expression, type: Type): BoundExpression {
  return convert(b, bindExpression(b, node), type);
}

function defaultOf(type: Type, node: Expression): BoundExpression {
  return isError(type) || isVoid(type) ? errorNode(node) : defaultNode(type, node);
}

function bindLiteral(node: LiteralExpression): BoundExpression {
  const { literal } = node;
  switch (literal.type) {
    case "string":
      return constantNode(literal.value, known.string(), node);
    case "bool":
      return constantNode(literal.value, known.bool(), node);
    case "null":
      return constantNode(null, NULL_TYPE, node);
    case "decimal":
      return constantNode(decimalLiteral(literal.value), known.decimal(), node);
    default:
      return constantNode(literal.value, numericType(literal.type), node);
  }
}

function bindInterpolated(b: Binder, node: InterpolatedExpression): BoundExpression {
  const parts: (string | InterpolationHole)[] = [];
  let formatted = false;
  for (const part of node.parts) {
    if (part.kind === "text") {
      parts.push(part.value);
      continue;
    }
    const expression = bindValue(b, part.expression);
    if (isVoid(expression.type)) b.report("HG3134", part, { member: "this" });
    let alignment = 0;
    if (part.alignment !== null) {
      const width = bindTo(b, part.alignment, known.int());
      if (width.kind === "constant") alignment = width.value as number;
      else if (width.kind !== "error") b.report("HG3143", part.alignment);
    }
    if (alignment !== 0 || part.format !== null) formatted = true;
    parts.push({ expression, alignment, format: part.format });
  }
  if (formatted)
    return { kind: "interpolation", parts, type: known.string(), start: node.start, end: node.end };
  const values = parts.map((part) =>
    typeof part === "string" ? constantNode(part, known.string(), node) : part.expression,
  );
  return concatenation(values, node, false);
}

// ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function bindName(b: Binder, node: NameExpression): Bound {
  const { name } = node;
  if (node.typeArguments === null) {
    const found = b.scope.lookup(name);
    if (found !== null) {
      switch (found.kind) {
        case "variable":
          return b.read(found.symbol, node);
        case "constant":
          return { ...found.value, start: node.start, end: node.end };
        case "function":
          return {
            kind: "pendingLocalFunction",
            type: null,
            local: found.local,
            start: node.start,
            end: node.end,
          };
        case "range":
          return { ...found.read(), start: node.start, end: node.end };
      }
    }
    if (name === "context")
      return { kind: "context", type: typeNamed("Gateway.IContext"), start: node.start, end: node.end };
  }
  const args = node.typeArguments?.map((arg) => bindTypeNode(b, arg)) ?? [];
  if (args.some(isError)) return errorNode(node);
  const definition = typeByShortName(name, args.length);
  if (definition !== null) {
    const named =
      definition.fullName === "System.Nullable" ? nullableOf(args[0]!) : instantiate(definition, args);
    return { kind: "pendingType", type: null, named, start: node.start, end: node.end };
  }
  if (args.length === 0 && isNamespace(name))
    return { kind: "pendingNamespace", type: null, name, start: node.start, end: node.end };
  return unknownName(b, node, args.length);
}

/** Names of other languages, and what C# has instead. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["undefined", "write `null`"],
  ["None", "write `null`"],
  ["nil", "write `null`"],
  ["True", "write `true`"],
  ["False", "write `false`"],
  ["JSON", "use `JObject.Parse(…)` or `JsonConvert`"],
  ["Object", "write `object`"],
  ["request", "write `context.Request`"],
  ["response", "write `context.Response`"],
  ["variables", "write `context.Variables`"],
  ["parseInt", "write `int.Parse(…)`"],
  ["parseFloat", "write `double.Parse(…)`"],
  ["Number", "write `double.Parse(…)`"],
  ["isNaN", "write `double.IsNaN(…)`, or `int.TryParse(…)`"],
  ["encodeURIComponent", "write `Uri.EscapeDataString(…)`"],
  ["encodeURI", "write `Uri.EscapeDataString(…)` for each part"],
  ["decodeURIComponent", "write `Uri.UnescapeDataString(…)`"],
  ["decodeURI", "write `Uri.UnescapeDataString(…)`"],
  ["btoa", "write `Convert.ToBase64String(Encoding.UTF8.GetBytes(…))`"],
  ["atob", "write `Encoding.UTF8.GetString(Convert.FromBase64String(…))`"],
  ["console", "use `context.Trace(…)` or the trace policy"],
  ["fetch", "use the send-request policy"],
  ["require", "types are there without an import"],
  ["crypto", "use `SHA256`, `HMACSHA256` or another class of System.Security.Cryptography"],
  ["len", "write `.Length` or `.Count` behind the value"],
  ["str", "write `.ToString()` behind the value"],
  ["subscription", "write `context.Subscription`"],
  ["user", "write `context.User`"],
  ["dynamic", "use a static type such as JObject"],
]);

function unknownName(b: Binder, node: NameExpression, arity: number): BoundExpression {
  const { name } = node;
  if (arity > 0) {
    reportUnknownType(b, name, arity, node);
    return errorNode(node);
  }
  const real = unsupportedType(name);
  if (real !== null) return b.fail("HG3102", node, { type: real }, insteadOf(real));
  const foreign = FOREIGN.get(name);
  if (foreign !== undefined) return b.fail("HG3100", node, { name }, foreign);
  const contextMembers = typeNamed("Gateway.IContext").definition.members;
  if (contextMembers.has(name)) return b.fail("HG3100", node, { name }, `write \`context.${name}\``);
  const generic = [...nameableTypes()].includes(name);
  if (generic) {
    reportUnknownType(b, name, 0, node);
    return errorNode(node);
  }
  const best = suggest(name, ["context", ...b.scope.visibleNames()]) ?? suggest(name, nameableTypes());
  return b.fail("HG3100", node, { name }, best === null ? null : `did you mean \`${best}\`?`);
}

function bindNameof(b: Binder, node: NameofExpression): BoundExpression {
  const { argument } = node;
  // `nameof(String.Length)` may name what has no value here.
  const { result: bound, diagnostics } = b.aside(() => bindExpression(b, argument));
  const wrong = diagnostics.filter((d) => d.code !== "HG3117");
  if (wrong.length > 0) {
    b.diagnostics.push(...wrong);
    return errorNode(node);
  }
  const text = argument.kind === "name" || argument.kind === "member" ? argument.name : null;
  if (text !== null) return constantNode(text, known.string(), node);
  if (bound.kind === "pendingType") return constantNode(displayName(bound.named), known.string(), node);
  return b.fail("HG3148", node, { feature: "`nameof` of something that is no name" });
}

/** `typeof(T)` as an argument. */
export function bindTypeof(b: Binder, node: TypeofExpression): BoundExpression {
  const type = bindTypeNode(b, node.type);
  if (isError(type)) return errorNode(node);
  return constantNode(new TypeObject(type), typeNamed("System.Type"), node);
}

// ── `?.` and `? :` ──────────────────────────────────────────────────────────────────────────────────────────────────

function bindConditionalAccess(b: Binder, node: ConditionalAccessExpression): BoundExpression {
  const receiver = bindValue(b, node.target);
  if (isError(receiver.type)) return errorNode(node);
  if (isVoid(receiver.type)) return b.fail("HG3134", receiver, { member: "this" });
  const inner = underlyingOfNullable(receiver.type);
  if (!admitsNull(receiver.type)) {
    return b.fail("HG3146", receiver, { type: displayName(receiver.type) });
  }
  const temp = b.temp(inner ?? receiver.type, node.target);
  b.receivers.push(temp);
  const access = asValue(b, bindExpression(b, node.access));
  b.receivers.pop();
  if (isError(access.type)) return errorNode(node);
  const type = isVoid(access.type) ? access.type : nullableOf(access.type);
  const result = type === access.type ? access : convertNode({ kind: "wrap" }, access, type);
  return {
    kind: "conditionalAccess",
    receiver,
    temp,
    access: result,
    type,
    start: node.start,
    end: node.end,
  };
}

function bindConditional(b: Binder, node: ConditionalExpression): Bound {
  const condition = toCondition(b, bindExpression(b, node.condition), node.condition);
  const whenTrue = bindExpression(b, node.whenTrue);
  const whenFalse = bindExpression(b, node.whenFalse);
  const span = { start: node.start, end: node.end };
  const type = armsType(b, whenTrue, whenFalse);
  if (type === null)
    return { kind: "pendingConditional", type: null, condition, whenTrue, whenFalse, ...span };
  const left = convert(b, whenTrue, type);
  const right = convert(b, whenFalse, type);
  if (condition.kind === "constant" && left.kind === "constant" && right.kind === "constant") {
    return { ...(condition.value === true ? left : right), ...span };
  }
  return { kind: "conditional", condition, whenTrue: left, whenFalse: right, type, ...span };
}

/** C# §12.18: the type of one arm that the other converts to, but not the other way round. */
function armsType(b: Binder, left: Bound, right: Bound): Type | null {
  const x = naturalType(b, left);
  const y = naturalType(b, right);
  if (x !== null && isError(x)) return y ?? x;
  if (y !== null && isError(y)) return x ?? y;
  if (x !== null && isVoid(x)) return null;
  const usable = (type: Type | null): type is Type => type !== null && type.kind !== "null";
  if (usable(x) && usable(y) && sameType(x, y)) return x;
  const toX = usable(x) && converts(b, right, x);
  const toY = usable(y) && converts(b, left, y);
  // Both ways only when a constant fits the narrower type: the wider one is meant.
  if (toX && toY) return implicitConversion(x, y) !== null ? y : x;
  return toX ? x : toY ? y : null;
}
