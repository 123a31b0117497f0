/**
 * Expressions, by recursive descent for everything that starts with its own mark, and by precedence climbing (Pratt)
 * for binary operators: `parseBinary(p, least)` reads an operand, then as long as an operator binds at least as
 * tightly as `least`, its right side with the next higher bound. The numbers are `BINARY_PRECEDENCE` in `tokens.ts`.
 *
 * Loosest to tightest: assignment, lambda and query (`parseExpression`), `? :` (`parseConditional`), binary operators
 * (`parseBinary`), `..` and `switch` (`parseRange`), unary operators and casts (`parseUnary`), and what hangs behind a
 * value: `.x`, `(…)`, `[…]`, `?.`, `++` (`parsePostfix`).
 */
import type { Cursor } from "./parser-cursor.ts";
import {
  isCast,
  isLambda,
  isQuery,
  isQueryWord,
  isTypeArguments,
  startsOperand,
  typeEnd,
} from "./parser-lookahead.ts";
import { parseNew } from "./parser-creation.ts";
import { parseLambda } from "./parser-lambda.ts";
import { parseDesignation, parsePattern } from "./parser-patterns.ts";
import { parseQuery } from "./parser-query.ts";
import { parsePatternType, parsePredefinedType, parseType, parseTypeArguments } from "./parser-types.ts";
import {
  ASSIGNMENT_OPERATORS,
  BINARY_PRECEDENCE,
  COALESCE_PRECEDENCE,
  PREDEFINED_TYPES,
  SHIFT_PRECEDENCE,
} from "./tokens.ts";
import type {
  Argument,
  AssignmentOperator,
  BinaryOperator,
  Expression,
  InterpolatedPart,
  LiteralExpression,
  LiteralValue,
  NameExpression,
  Span,
  SwitchArm,
  TupleElement,
  TypeNode,
  UnaryOperator,
} from "./tree.ts";

/** From `start` to the end of the last token read. */
export function spanFrom(p: Cursor, start: number): Span {
  return { start, end: Math.max(start, p.lastEnd) };
}

/** Reports that an expression is missing, at the end of the previous token. */
export function missingExpression(p: Cursor): Expression {
  p.errorAt("expectedExpression", p.lastEnd, p.lastEnd);
  return { kind: "missing", start: p.lastEnd, end: p.lastEnd };
}

// ── Assignment and conditional ──────────────────────────────────────────────────────────────────────────────────────

export function parseExpression(p: Cursor): Expression {
  p.enter();
  const expression = parseAssignment(p);
  p.leave();
  return expression;
}

function parseAssignment(p: Cursor): Expression {
  if (isLambda(p)) return parseLambda(p);
  if (isQuery(p)) return parseQuery(p);
  const target = isVarDeconstruction(p) ? parseDeclaration(p) : parseConditional(p);
  const operator = assignmentOperator(p);
  if (operator === null) return target;
  const { start } = p.token;
  p.index += operator === ">>=" ? 2 : 1;
  if (operator === "??=") p.newer("??=", "8", start, p.lastEnd);
  if (!isAssignable(target, operator)) p.report("notAssignable", target.start, target.end, [`"${operator}"`]);
  const value = parseExpression(p);
  return {
    kind: "assignment",
    operator,
    operatorStart: start,
    target,
    value,
    start: target.start,
    end: value.end,
  };
}

/** `var (a, b) =`. */
function isVarDeconstruction(p: Cursor): boolean {
  if (!p.isWord("var") || p.peek(1).kind !== "(") return false;
  const partner = p.partners[p.index + 1]!;
  return partner > 0 && p.tokens[partner + 1]!.kind === "=";
}

function assignmentOperator(p: Cursor): AssignmentOperator | null {
  const { kind, end } = p.token;
  if (ASSIGNMENT_OPERATORS.has(kind)) return kind as AssignmentOperator;
  const next = p.peek(1);
  return kind === ">" && next.kind === ">=" && next.start === end ? ">>=" : null;
}

function isAssignable(target: Expression, operator: AssignmentOperator): boolean {
  switch (target.kind) {
    case "name":
    case "member":
    case "element":
    case "missing":
      return true;
    case "tuple":
    case "declaration":
      return operator === "=";
    case "paren":
      return isAssignable(target.expression, operator);
    default:
      return false;
  }
}

/** Where C# also takes `throw e`: after `??`, in `? :`, behind `=>`. */
export function parseExpressionOrThrow(p: Cursor): Expression {
  if (!p.is("throw")) return parseExpression(p);
  const { start } = p.next();
  p.enter();
  const expression = parseBinary(p, COALESCE_PRECEDENCE);
  p.leave();
  return { kind: "throw", expression, start, end: expression.end };
}

function parseConditional(p: Cursor): Expression {
  const condition = parseBinary(p, COALESCE_PRECEDENCE);
  if (!p.is("?")) return condition;
  const question = p.token;
  p.next();
  if (p.is(":") && p.start === question.end) {
    p.report("swappedOperator", question.start, p.token.end, ["?:", "?? between the value and its default"]);
    p.next();
    return parseConditional(p);
  }
  const { noLambda } = p;
  p.noLambda = false;
  const whenTrue = parseExpressionOrThrow(p);
  p.noLambda = noLambda;
  if (p.is("holeFormat")) {
    p.error("conditionalInHole");
    p.next();
    const whenFalse: Expression = { kind: "missing", start: p.lastEnd, end: p.lastEnd };
    return { kind: "conditional", condition, whenTrue, whenFalse, ...spanFrom(p, condition.start) };
  }
  p.expect(":", "a conditional is condition ? value : otherwise");
  const whenFalse = parseExpressionOrThrow(p);
  return { kind: "conditional", condition, whenTrue, whenFalse, start: condition.start, end: whenFalse.end };
}

// ── Binary operators ────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads operators that bind at least as tightly as `least`. */
export function parseBinary(p: Cursor, least: number): Expression {
  let left = parseRange(p);
  for (;;) {
    const operator = binaryOperator(p);
    if (operator === null) {
      if (!wordOperator(p)) return left;
      continue;
    }
    const precedence = BINARY_PRECEDENCE.get(operator)!;
    if (precedence < least) return left;
    const operatorStart = p.start;
    p.index += operator === ">>" ? 2 : 1;
    if (operator === "is") {
      const pattern = parsePattern(p);
      left = { kind: "is", expression: left, pattern, start: left.start, end: pattern.end };
    } else if (operator === "as") {
      const type = parsePatternType(p);
      left = { kind: "as", expression: left, type, start: left.start, end: type.end };
    } else {
      const right = parseRight(p, operator, precedence);
      left = { kind: "binary", operator, operatorStart, left, right, start: left.start, end: right.end };
    }
  }
}

/** Precedence rises with every step to the right, so only `??`, which groups to the right, nests without bound. */
function parseRight(p: Cursor, operator: BinaryOperator, precedence: number): Expression {
  if (operator !== "??") return parseBinary(p, precedence + 1);
  p.enter();
  const right = p.is("throw") ? parseExpressionOrThrow(p) : parseBinary(p, precedence);
  p.leave();
  return right;
}

function binaryOperator(p: Cursor): BinaryOperator | "is" | "as" | null {
  const { kind, end } = p.token;
  if (kind === ">") {
    const next = p.peek(1);
    if (next.start !== end) return ">";
    if (next.kind === ">=") return null;
    return next.kind === ">" ? ">>" : ">";
  }
  return BINARY_PRECEDENCE.has(kind as BinaryOperator) ? (kind as BinaryOperator) : null;
}

const WORD_OPERATORS: ReadonlyMap<string, string> = new Map([
  ["and", "&&"],
  ["or", "||"],
  ["AND", "&&"],
  ["OR", "||"],
  ["And", "&&"],
  ["Or", "||"],
  ["eq", "=="],
  ["ne", "!="],
  ["mod", "%"],
]);

/** `a and b`: says how C# writes it, and reads over `b` so that one mistake stays one. */
function wordOperator(p: Cursor): boolean {
  if (p.noLambda || p.token.kind !== "identifier" || p.token.escaped) return false;
  const operator = WORD_OPERATORS.get(p.token.text);
  if (operator === undefined || !startsOperand(p, p.peek(1))) return false;
  p.error("wordOperator", p.token, [`"${operator}"`]);
  p.next();
  p.enter();
  parseBinary(p, SHIFT_PRECEDENCE);
  p.leave();
  return true;
}

/** `a..b` and `x switch { … }`, which bind between unary and binary operators. */
function parseRange(p: Cursor): Expression {
  const start = p.start;
  let expression: Expression;
  if (p.is("..")) {
    expression = finishRange(p, null, start);
  } else {
    expression = parseUnary(p);
    if (p.is("..")) expression = finishRange(p, expression, start);
  }
  while (p.is("switch") && p.peek(1).kind === "{") expression = parseSwitchExpression(p, expression);
  return expression;
}

function finishRange(p: Cursor, from: Expression | null, start: number): Expression {
  const { start: at, end } = p.next();
  p.newer("a range", "8", at, end);
  const to = startsOperand(p, p.token) ? parseUnary(p) : null;
  return { kind: "range", from, to, ...spanFrom(p, start) };
}

function parseSwitchExpression(p: Cursor, subject: Expression): Expression {
  const { start, end } = p.next();
  p.newer("a switch expression", "8", start, end);
  const opener = p.index;
  p.next();
  const { noLambda } = p;
  const arms: SwitchArm[] = [];
  while (!p.is("}") && !p.is("eof")) {
    const before = p.index;
    arms.push(parseSwitchArm(p));
    if (!p.take(",") || p.index === before) break;
  }
  p.noLambda = noLambda;
  p.close(opener, "}");
  return { kind: "switchExpression", subject, arms, ...spanFrom(p, subject.start) };
}

function parseSwitchArm(p: Cursor): SwitchArm {
  const { start } = p.token;
  p.noLambda = true;
  const pattern = parsePattern(p);
  const guard = p.takeWord("when") ? parseExpression(p) : null;
  p.noLambda = false;
  p.expect("=>");
  const value = parseExpressionOrThrow(p);
  return { pattern, guard, value, ...spanFrom(p, start) };
}

// ── Unary operators ─────────────────────────────────────────────────────────────────────────────────────────────────

export function parseUnary(p: Cursor): Expression {
  const { kind, start, end } = p.token;
  switch (kind) {
    case "-": {
      const smallest = smallestInteger(p);
      if (smallest !== null) return parsePostfix(p, smallest);
      return parsePrefix(p, kind);
    }
    case "+":
    case "!":
    case "~":
    case "++":
    case "--":
      return parsePrefix(p, kind);
    case "^": {
      p.next();
      p.newer("an index from the end", "8", start, end);
      const operand = parseOperand(p);
      return { kind: "fromEnd", operand, start, end: operand.end };
    }
    case "&":
    case "*":
      if (!startsOperand(p, p.peek(1)) || p.lastEnd === start) break;
      p.outOfScope(kind === "&" ? "taking an address" : "a pointer");
      p.next();
      return parseOperand(p);
    case "(":
      if (isCast(p)) return parseCast(p);
      break;
    case "identifier":
      if (p.isWord("await") && (p.peek(1).kind === "identifier" || p.peek(1).kind === "new")) {
        p.outOfScope("await");
        p.next();
        return parseOperand(p);
      }
      if (p.isWord("not") && p.peek(1).kind === "identifier") {
        p.error("wordOperator", p.token, ['"!"']);
        p.next();
        return parseOperand(p);
      }
  }
  return parsePostfix(p, parsePrimary(p));
}

/** What a prefix operator or cast stands before. */
function parseOperand(p: Cursor): Expression {
  p.enter();
  const operand = parseUnary(p);
  p.leave();
  return operand;
}

function parsePrefix(p: Cursor, operator: UnaryOperator): Expression {
  const { start } = p.next();
  const operand = parseOperand(p);
  if ((operator === "++" || operator === "--") && !isAssignable(operand, "+=")) {
    p.report("notAssignable", operand.start, operand.end, [`"${operator}"`]);
  }
  return { kind: "unary", operator, operand, start, end: operand.end };
}

/** `-2147483648` is one literal of type int: without the sign it would be too large (C# specification §12.9.3). */
function smallestInteger(p: Cursor): LiteralExpression | null {
  const { start } = p.token;
  const { literal, start: from, end } = p.peek(1);
  if (literal === null) return null;
  let value: LiteralValue | null = null;
  const digits = p.source.slice(from, end).replaceAll("_", "");
  if (digits === "2147483648") value = { type: "int", value: -2147483648 };
  if (/^9223372036854775808l?$/i.test(digits)) value = { type: "long", value: -(1n << 63n) };
  if (value === null) return null;
  p.next();
  p.next();
  return { kind: "literal", literal: value, start, end };
}

function parseCast(p: Cursor): Expression {
  const { start } = p.next();
  const type = parseType(p);
  p.expect(")");
  const expression = parseOperand(p);
  return { kind: "cast", type, expression, start, end: expression.end };
}

// ── Behind a value ──────────────────────────────────────────────────────────────────────────────────────────────────

function parsePostfix(p: Cursor, primary: Expression): Expression {
  let expression = primary;
  for (;;) {
    const { kind, start, end } = p.token;
    switch (kind) {
      case "++":
      case "--":
        p.next();
        if (!isAssignable(expression, "+="))
          p.report("notAssignable", expression.start, expression.end, [`"${kind}"`]);
        expression = { kind: "postfix", operator: kind, operand: expression, start: expression.start, end };
        continue;
      case "!":
        // Null-forgiving: says nothing at run time, so the operand alone goes into the tree.
        if (startsOperand(p, p.peek(1)) && p.peek(1).kind !== "(" && p.peek(1).kind !== "^")
          return expression;
        p.next();
        p.newer("the operator x!", "8", start, end);
        continue;
      case "with":
        return expression;
      case "?":
        if (p.peek(1).kind !== "." && p.peek(1).kind !== "[") return expression;
        expression = parseConditionalAccess(p, expression);
        continue;
      case "->":
        p.outOfScope(
          "->",
          p.token,
          expression.kind === "name" ? 'write =>, or "." for a member' : 'write "."',
        );
        p.next();
        if (p.is("identifier")) p.next();
        continue;
      case "identifier":
        if (p.isWord("with") && p.peek(1).kind === "{") {
          p.outOfScope("with");
          p.next();
          p.index = Math.max(p.partners[p.index]! + 1, p.index + 1);
          continue;
        }
        return expression;
      default: {
        const longer = parseAccess(p, expression);
        if (longer === null) return expression;
        expression = longer;
      }
    }
  }
}

/** One `.x`, `(…)` or `[…]`; null when none follows. */
function parseAccess(p: Cursor, target: Expression): Expression | null {
  if (p.is(".")) return parseMember(p, target);
  if (p.is("(")) {
    const args = parseArguments(p, ")");
    return { kind: "call", callee: target, arguments: args, ...spanFrom(p, target.start) };
  }
  if (p.is("[")) {
    const args = parseArguments(p, "]");
    return { kind: "element", target, arguments: args, ...spanFrom(p, target.start) };
  }
  return null;
}

function parseMember(p: Cursor, target: Expression): Expression {
  p.next();
  const { start, end, text } = p.token;
  if (!p.is("identifier")) {
    const isWord = /^[a-z]+$/.test(p.kind) && !["literal", "eof"].includes(p.kind) && p.source[start] !== '"';
    if (isWord) p.error("reservedName", p.token, [p.kind]);
    else p.errorAt("expectedName", p.lastEnd, p.lastEnd);
    if (isWord) p.next();
    const at = isWord ? { start, end } : { start: p.lastEnd, end: p.lastEnd };
    return { kind: "missing", start: target.start, end: at.end };
  }
  p.next();
  const typeArguments = p.is("<") && isTypeArguments(p, p.index) ? parseTypeArguments(p) : null;
  return {
    kind: "member",
    target,
    name: text,
    nameStart: start,
    nameEnd: end,
    typeArguments,
    ...spanFrom(p, target.start),
  };
}

/** `target?.a.b` or `target?[i].b`: everything that follows belongs to the part that null skips. */
function parseConditionalAccess(p: Cursor, target: Expression): Expression {
  p.enter();
  p.next();
  let access: Expression = { kind: "receiver", start: p.start, end: p.start };
  for (;;) {
    const longer = parseAccess(p, access);
    if (longer === null) break;
    access = longer;
  }
  if (p.is("?") && (p.peek(1).kind === "." || p.peek(1).kind === "["))
    access = parseConditionalAccess(p, access);
  p.leave();
  return { kind: "conditionalAccess", target, access, ...spanFrom(p, target.start) };
}

/** `(a, name: b, out var c)` or `[a]`. The current token is the opening bracket. */
export function parseArguments(p: Cursor, close: ")" | "]"): Argument[] {
  const opener = p.index;
  p.next();
  const { noLambda } = p;
  p.noLambda = false;
  const args: Argument[] = [];
  if (close === "]" && p.is("]")) missingExpression(p);
  while (!p.is(close) && !p.is("eof")) {
    const before = p.index;
    args.push(parseArgument(p));
    if (!p.take(",")) break;
    if (p.is(close)) missingExpression(p);
    if (p.index === before) break;
  }
  p.noLambda = noLambda;
  p.close(opener, close);
  return args;
}

function parseArgument(p: Cursor): Argument {
  const { start } = p.token;
  let name: string | null = null;
  if (p.is("identifier") && p.peek(1).kind === ":") {
    name = p.next().text;
    p.next();
  }
  let mode: Argument["mode"] = "value";
  if (p.is("out") || p.is("ref") || p.is("in")) {
    if (!p.is("out")) p.outOfScope(`a ${p.kind} argument`);
    mode = p.next().kind as Argument["mode"];
  }
  const expression = mode === "out" && isDeclaration(p) ? parseDeclaration(p) : parseExpression(p);
  return { name, mode, expression, ...spanFrom(p, start) };
}

/** `T x`, `var x` or `var (a, b)`, where a variable may be declared inside an expression. */
export function isDeclaration(p: Cursor): boolean {
  if (p.isWord("var") && p.peek(1).kind === "(") return true;
  const end = typeEnd(p, p.index);
  return end > 0 && p.tokens[end]!.kind === "identifier" && !isQueryWord(p, p.tokens[end]!);
}

export function parseDeclaration(p: Cursor): Expression & { kind: "declaration" } {
  const { start } = p.token;
  const type = parseVariableType(p);
  const designation = parseDesignation(p);
  return { kind: "declaration", type, designation, ...spanFrom(p, start) };
}

/** A type, or `var`. */
export function parseVariableType(p: Cursor): TypeNode {
  const { start, end } = p.token;
  if (!p.isWord("var") || p.peek(1).kind === "." || p.peek(1).kind === "<") return parseType(p);
  p.next();
  return { kind: "varType", start, end };
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function parsePrimary(p: Cursor): Expression {
  const { kind, start, end, literal } = p.token;
  switch (kind) {
    case "literal":
      p.next();
      return { kind: "literal", literal: literal!, start, end };
    case "interpolatedStart":
      return parseInterpolated(p);
    case "identifier":
      return parseIdentifier(p);
    case "(":
      return parseParen(p);
    case "new":
      return parseNew(p);
    case "typeof":
      return parseTypeof(p);
    case "default":
      return parseDefault(p);
    case "checked":
    case "unchecked":
      return parseChecked(p);
    default:
      return PREDEFINED_TYPES.has(kind) ? parseTypeKeyword(p) : parseNoValue(p);
  }
}

function parseIdentifier(p: Cursor): Expression {
  if (isLambda(p)) {
    p.error("lambdaPlace");
    return parseLambda(p);
  }
  if (p.noLambda === false && p.peek(1).kind === "=>") return parseLambda(p);
  if (isQueryWord(p, p.token)) return missingExpression(p);
  if (p.peek(1).kind === "::") {
    if (!p.isWord("global")) p.outOfScope("a namespace alias");
    p.index += 2;
    if (!p.is("identifier")) return missingExpression(p);
  }
  if (p.isWord("nameof") && p.peek(1).kind === "(") return parseNameof(p);
  if (p.isWord("function") && p.peek(1).kind === "(") return parseFunction(p);
  return parseName(p);
}

/** `x` or `M<int>`. The current token is an identifier. */
export function parseName(p: Cursor): NameExpression {
  const { start, text } = p.next();
  const typeArguments = p.is("<") && isTypeArguments(p, p.index) ? parseTypeArguments(p) : null;
  return { kind: "name", name: text, typeArguments, ...spanFrom(p, start) };
}

function parseNameof(p: Cursor): Expression {
  const { start } = p.next();
  const args = parseArguments(p, ")");
  const argument = args[0]?.expression ?? { kind: "missing", ...spanFrom(p, start) };
  if (args.length !== 1) p.report("expected", p.lastEnd, p.lastEnd, ["one name in nameof( )"]);
  return { kind: "nameof", argument, ...spanFrom(p, start) };
}

/** `function (x) { … }`, a habit of JavaScript. */
function parseFunction(p: Cursor): Expression {
  const { start } = p.token;
  const partner = p.partners[p.index + 1]!;
  if (partner < 0 || p.tokens[partner + 1]!.kind !== "{") return parseName(p);
  p.error("javascriptDeclaration", p.token, ["function", "write (x) => { … }"]);
  p.index = Math.max(p.partners[partner + 1]! + 1, partner + 2);
  return { kind: "missing", ...spanFrom(p, start) };
}

function parseTypeKeyword(p: Cursor): Expression {
  const isCast = p.tokens[p.index - 1]?.kind === "(";
  const type = parsePredefinedType(p);
  if (!p.is(".") && !p.is("?")) {
    if (isCast) p.errorAt("expected", p.lastEnd, p.lastEnd, ['")"'], "a cast is written (type)value");
    else
      p.errorAt(
        "expected",
        p.lastEnd,
        p.lastEnd,
        ['"."'],
        "a type is no value; its members follow after a dot",
      );
  }
  return { kind: "typeExpression", type, start: type.start, end: type.end };
}

function parseTypeof(p: Cursor): Expression {
  const { start } = p.next();
  const opener = p.index;
  if (p.is("identifier")) {
    p.report("javascriptDeclaration", start, start + 6, [
      "typeof without brackets",
      "ask `value is string`, or use GetType()",
    ]);
    parseUnary(p);
    return { kind: "missing", ...spanFrom(p, start) };
  }
  if (!p.expect("(")) return { kind: "missing", ...spanFrom(p, start) };
  const type = parseType(p);
  p.close(opener, ")");
  return { kind: "typeof", type, ...spanFrom(p, start) };
}

function parseDefault(p: Cursor): Expression {
  const { start, end } = p.next();
  if (!p.is("(")) return { kind: "default", type: null, start, end };
  const opener = p.index;
  p.next();
  const type = parseType(p);
  p.close(opener, ")");
  return { kind: "default", type, ...spanFrom(p, start) };
}

function parseChecked(p: Cursor): Expression {
  const { start, kind } = p.next();
  const opener = p.index;
  if (!p.expect("(")) return { kind: "missing", ...spanFrom(p, start) };
  const expression = parseExpression(p);
  p.close(opener, ")");
  return { kind: "checked", checked: kind === "checked", expression, ...spanFrom(p, start) };
}

/** A value in parentheses or a tuple. Variables may be declared in it when it is assigned to or walked through. */
export function parseParen(p: Cursor): Expression {
  const { start } = p.token;
  const opener = p.index;
  const partner = p.partners[opener]!;
  if (isLambda(p)) {
    p.error("lambdaPlace");
    return parseLambda(p);
  }
  const after = partner < 0 ? "" : p.tokens[partner + 1]!.kind;
  const declares = after === "=" || after === "in";
  p.next();
  const { noLambda } = p;
  p.noLambda = false;
  const elements: TupleElement[] = [];
  if (p.is(")")) missingExpression(p);
  while (!p.is(")") && !p.is("eof")) {
    elements.push(parseTupleElement(p, declares));
    if (!p.take(",")) break;
    if (p.is(")")) missingExpression(p);
  }
  p.noLambda = noLambda;
  p.close(opener, ")");
  const span = spanFrom(p, start);
  const first = elements[0];
  if (first === undefined) return { kind: "missing", ...span };
  if (elements.length > 1) return { kind: "tuple", elements, ...span };
  if (first.name !== null) p.report("expected", span.end - 1, span.end, ["a second element of the tuple"]);
  return { kind: "paren", expression: first.expression, ...span };
}

function parseTupleElement(p: Cursor, declares: boolean): TupleElement {
  const { start } = p.token;
  let name: string | null = null;
  if (p.is("identifier") && p.peek(1).kind === ":") {
    name = p.next().text;
    p.next();
  }
  const expression = declares && isDeclaration(p) ? parseDeclaration(p) : parseExpression(p);
  return { name, expression, ...spanFrom(p, start) };
}

function parseInterpolated(p: Cursor): Expression {
  const { start } = p.next();
  const { noLambda } = p;
  p.noLambda = false;
  const parts: InterpolatedPart[] = [];
  while (!p.is("interpolatedEnd") && !p.is("eof")) {
    const { kind, text, start: from, end } = p.token;
    if (kind === "interpolatedText") {
      p.next();
      if (text !== "") parts.push({ kind: "text", value: text, start: from, end });
    } else if (kind === "holeStart") parts.push(parseHole(p));
    else p.next();
  }
  p.take("interpolatedEnd");
  p.noLambda = noLambda;
  return { kind: "interpolated", parts, ...spanFrom(p, start) };
}

function parseHole(p: Cursor): InterpolatedPart {
  const { start } = p.token;
  const opener = p.index;
  p.next();
  const expression = p.is("holeEnd") ? missingExpression(p) : parseExpression(p);
  const alignment = p.take(",") ? parseExpression(p) : null;
  const format = p.is("holeFormat") ? p.next().text : null;
  p.close(opener, "holeEnd");
  return { kind: "hole", expression, alignment, format, ...spanFrom(p, start) };
}

// ── Not values ──────────────────────────────────────────────────────────────────────────────────────────────────────

const OUT_OF_SCOPE: ReadonlyMap<string, string> = new Map([
  ["this", "this"],
  ["base", "base"],
  ["sizeof", "sizeof"],
  ["stackalloc", "stackalloc"],
  ["delegate", "an anonymous method"],
  ["ref", "ref"],
]);

/** Two operators in a row, as other languages write them. */
const FOREIGN_OPERATORS: ReadonlyMap<string, string> = new Map([
  ["**", "Math.Pow(a, b)"],
  ["<>", "!="],
  [">>>", ">> on an unsigned value"],
]);

/** Nothing that starts a value. Steps over what clearly was meant as one. */
function parseNoValue(p: Cursor): Expression {
  const { kind, start, end } = p.token;
  const skipped = (to: number): Expression => {
    p.index = Math.max(to, p.index + 1);
    return { kind: "missing", start, end: Math.max(end, p.lastEnd) };
  };
  const what = OUT_OF_SCOPE.get(kind);
  if (what !== undefined) {
    p.outOfScope(what, p.token, kind === "delegate" ? "write a lambda: x => …" : undefined);
    return skipNotValue(p, start);
  }
  if (kind === "throw") {
    p.error("throwPlace");
    return parseExpressionOrThrow(p);
  }
  if (kind === "[") {
    p.error("arrayLiteral");
    return skipped(p.partners[p.index]! + 1);
  }
  if (kind === "{") {
    p.error("objectLiteral");
    return skipped(p.partners[p.index]! + 1);
  }
  if (kind === "void") {
    p.error("unexpected", p.token, ['"void"']);
    return skipped(0);
  }
  if (BINARY_PRECEDENCE.has(kind as BinaryOperator) || kind === "=") {
    // `a ** b`, `a <> b`, `a = = b`: an operator where its operand should be.
    const before = p.tokens[p.index - 1];
    const foreign = before?.end === start ? FOREIGN_OPERATORS.get(before.kind + kind) : undefined;
    if (foreign !== undefined) {
      p.errorAt("swappedOperator", before!.start, end, [before!.kind + kind, foreign]);
      p.next();
      return parseOperand(p);
    }
    const hint = kind === "=" ? 'equality is "==", without a space' : undefined;
    p.error(
      "expectedInstead",
      p.token,
      ["a value", p.describe()],
      kind === ">" ? 'inequality is "!="' : hint,
    );
    if (!startsOperand(p, p.peek(1))) return { kind: "missing", start, end: start };
    p.next();
    return parseOperand(p);
  }
  return missingExpression(p);
}

/** Steps over `this.x`, `delegate (…) { … }`, `stackalloc int[3]`: the word and what hangs behind it. */
function skipNotValue(p: Cursor, start: number): Expression {
  const { kind } = p.token;
  // `stackalloc T[n]` reads like `new T[n]`.
  if (kind === "stackalloc") return { ...parseNew(p), kind: "missing", start };
  p.next();
  if (kind === "ref") {
    parseOperand(p);
  } else {
    if (p.is("(")) p.index = Math.max(p.partners[p.index]! + 1, p.index + 1);
    if (kind === "delegate" && p.is("{")) p.index = Math.max(p.partners[p.index]! + 1, p.index + 1);
  }
  return { kind: "missing", ...spanFrom(p, start) };
}
