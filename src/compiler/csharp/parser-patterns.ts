/**
 * Patterns of `is`, `case` and switch expressions. C# 7 has types, constants, `T x` and `var x`; the others are newer.
 *
 * Precedence, loosest first: `or`, `and`, `not`. A name may be a type or a constant, which only the binder can tell.
 */
import type { Cursor } from "./parser-cursor.ts";
import { isCast, isQueryWord, patternTypeEnd, startsOperand } from "./parser-lookahead.ts";
import { parseBinary, parseName, spanFrom } from "./parser-expressions.ts";
import { parsePatternType } from "./parser-types.ts";
import { BINARY_PRECEDENCE, COALESCE_PRECEDENCE, PREDEFINED_TYPES, SHIFT_PRECEDENCE } from "./tokens.ts";
import type {
  BinaryOperator,
  Designation,
  Expression,
  NamedTypeNode,
  Pattern,
  Subpattern,
  TypeNode,
} from "./tree.ts";

/** After `is`: `_` is a name there, as in C# 7. */
export function parsePattern(p: Cursor): Pattern {
  const { noLambda } = p;
  p.noLambda = true;
  const pattern = parseOr(p);
  p.noLambda = noLambda;
  return pattern;
}

/**
 * The pattern of a `case` label, where any constant expression may stand (`case A | B:`). Short labels are read
 * again as an expression when an operator follows; the bound keeps that linear.
 */
export function parseCasePattern(p: Cursor): Pattern {
  const { index } = p;
  const reported = p.diagnostics.length;
  const pattern = parsePattern(p);
  const isConstant = pattern.kind === "constantPattern" || pattern.kind === "typeOrConstantPattern";
  const isOperator = BINARY_PRECEDENCE.has(p.kind as BinaryOperator);
  if (!isConstant || !isOperator || p.index - index > 64 || p.diagnostics.length > reported) return pattern;
  const { noLambda } = p;
  p.noLambda = true;
  p.index = index;
  const expression = parseBinary(p, COALESCE_PRECEDENCE);
  p.noLambda = noLambda;
  return { kind: "constantPattern", expression, start: expression.start, end: expression.end };
}

function parseOr(p: Cursor): Pattern {
  return parseCombined(p, "or", () => parseCombined(p, "and", () => parseNot(p)));
}

function parseCombined(p: Cursor, operator: "and" | "or", operand: () => Pattern): Pattern {
  let left = operand();
  while (p.isWord(operator)) {
    const { start, end } = p.next();
    p.newer(`the pattern ${operator}`, "9", start, end);
    const right = operand();
    left = { kind: "binaryPattern", operator, left, right, start: left.start, end: right.end };
  }
  return left;
}

function parseNot(p: Cursor): Pattern {
  if (!p.isWord("not") || !startsPattern(p)) return parsePrimaryPattern(p);
  const { start, end } = p.next();
  p.newer("the pattern not", "9", start, end);
  p.enter();
  const pattern = parseNot(p);
  p.leave();
  return { kind: "notPattern", pattern, start, end: pattern.end };
}

/** Whether the token after `not` makes it an operator. */
function startsPattern(p: Cursor): boolean {
  const next = p.peek(1);
  return startsOperand(p, next) || next.kind === "{" || next.kind === "<" || next.kind === ">";
}

function parsePrimaryPattern(p: Cursor): Pattern {
  p.enter();
  const pattern = parsePrimaryInside(p);
  p.leave();
  return pattern;
}

function parsePrimaryInside(p: Cursor): Pattern {
  const { kind, start, end } = p.token;
  if (p.isWord("var") && (p.peek(1).kind === "identifier" || p.peek(1).kind === "(")) {
    p.next();
    const designation = parseDesignation(p);
    return { kind: "varPattern", designation, start, end: designation.end };
  }
  if (p.isWord("_") && p.peek(1).kind !== ".") {
    p.next();
    return { kind: "discardPattern", start, end };
  }
  if (kind === "<" || kind === ">" || kind === "<=" || kind === ">=") {
    p.next();
    p.newer("a relational pattern", "9", start, end);
    const expression = parseBinary(p, SHIFT_PRECEDENCE);
    return { kind: "relationalPattern", operator: kind, expression, start, end: expression.end };
  }
  if (kind === "{") return parseRecursive(p, null, start);
  if (kind === "(" && !isCast(p) && !isConstantInParens(p)) return parseParenPattern(p);
  if (kind === "[") {
    p.outOfScope("a list pattern");
    p.index = Math.max(p.partners[p.index]! + 1, p.index + 1);
    return missingPattern(p);
  }
  return parseTypeOrConstant(p);
}

/** `(1 + 2) * 3`: an operator after the parentheses. */
function isConstantInParens(p: Cursor): boolean {
  const partner = p.partners[p.index]!;
  if (partner < 0) return false;
  return (BINARY_PRECEDENCE.get(p.tokens[partner + 1]!.kind as BinaryOperator) ?? 0) >= SHIFT_PRECEDENCE;
}

/** A single pattern in parentheses is only grouped; otherwise the positions of a tuple. */
function parseParenPattern(p: Cursor): Pattern {
  const { start } = p.token;
  const positions = parseSubpatterns(p, "(", ")");
  const first = positions[0];
  const isGroup = positions.length === 1 && first!.path.length === 0 && !p.is("{") && !isDesignation(p);
  if (isGroup) return first!.pattern;
  return finishRecursive(p, null, positions, start);
}

function parseTypeOrConstant(p: Cursor): Pattern {
  const { start } = p.token;
  const index = p.index;
  const end = patternTypeEnd(p, index);
  if (end < 0) return parseConstant(p);
  const isPredefined = PREDEFINED_TYPES.has(p.kind);
  const after = p.tokens[end]!.kind;
  const goesOn = (BINARY_PRECEDENCE.get(after as BinaryOperator) ?? 0) >= SHIFT_PRECEDENCE;
  if (goesOn || after === "." || after === "[" || isShift(p, end)) return parseConstant(p);
  const isPlain = isPlainName(p, index, end);
  // Plain names are read as an expression too, so that the binder has both.
  const expression = isPlain ? parseNameChain(p) : null;
  p.index = index;
  const type = parsePatternType(p);
  if (p.is("{") || (p.is("(") && !isPredefined)) return parseRecursive(p, type, start);
  if (isDesignation(p)) {
    const designation = parseDesignation(p);
    return { kind: "declarationPattern", type, designation, start, end: designation.end };
  }
  if (expression !== null && type.kind === "namedType") {
    return { kind: "typeOrConstantPattern", type: type as NamedTypeNode, expression, start, end: type.end };
  }
  return { kind: "typePattern", type, start, end: type.end };
}

/** `>` `>` side by side. */
function isShift(p: Cursor, index: number): boolean {
  const [a, b] = [p.tokens[index]!, p.tokens[index + 1]];
  return a.kind === ">" && b !== undefined && b.kind === ">" && a.end === b.start;
}

/** Names and dots only. */
function isPlainName(p: Cursor, index: number, end: number): boolean {
  for (let i = index; i < end; i++) {
    const { kind } = p.tokens[i]!;
    if (kind !== "identifier" && kind !== "." && kind !== "::") return false;
  }
  return true;
}

function parseNameChain(p: Cursor): Expression {
  if (p.peek(1).kind === "::") p.index += 2;
  let expression: Expression = parseName(p);
  while (p.is(".") && p.peek(1).kind === "identifier") {
    p.next();
    const name = p.next();
    expression = {
      kind: "member",
      target: expression,
      name: name.text,
      nameStart: name.start,
      nameEnd: name.end,
      typeArguments: null,
      ...spanFrom(p, expression.start),
    };
  }
  return expression;
}

function parseConstant(p: Cursor): Pattern {
  const expression = parseBinary(p, SHIFT_PRECEDENCE);
  return { kind: "constantPattern", expression, start: expression.start, end: expression.end };
}

function parseRecursive(p: Cursor, type: TypeNode | null, start: number): Pattern {
  const positions = p.is("(") ? parseSubpatterns(p, "(", ")") : null;
  return finishRecursive(p, type, positions, start);
}

function finishRecursive(
  p: Cursor,
  type: TypeNode | null,
  positions: Subpattern[] | null,
  start: number,
): Pattern {
  const properties = p.is("{") ? parseSubpatterns(p, "{", "}") : null;
  const designation = isDesignation(p) ? parseDesignation(p) : null;
  p.newer(properties === null ? "a positional pattern" : "a property pattern", "8", start, p.lastEnd);
  return { kind: "recursivePattern", type, positions, properties, designation, ...spanFrom(p, start) };
}

/** `(p, name: p)` or `{ Name: p, A.B: p }`. */
function parseSubpatterns(p: Cursor, open: "(" | "{", close: ")" | "}"): Subpattern[] {
  const opener = p.index;
  p.expect(open);
  const parts: Subpattern[] = [];
  while (!p.is(close) && !p.is("eof")) {
    const { start } = p.token;
    const path = parseSubpatternPath(p);
    if (open === "{" && path.length === 0) p.error("expectedName");
    const pattern = parseOr(p);
    parts.push({ path, pattern, ...spanFrom(p, start) });
    if (!p.take(",")) break;
  }
  p.close(opener, close);
  return parts;
}

function parseSubpatternPath(p: Cursor): string[] {
  let ahead = 0;
  while (p.peek(ahead).kind === "identifier" && p.peek(ahead + 1).kind === ".") ahead += 2;
  if (p.peek(ahead).kind !== "identifier" || p.peek(ahead + 1).kind !== ":") return [];
  const path: string[] = [];
  do path.push(p.next().text);
  while (p.take("."));
  p.next();
  return path;
}

/** Whether a name follows that a pattern can declare. */
function isDesignation(p: Cursor): boolean {
  const { token } = p;
  if (token.kind !== "identifier" || isQueryWord(p, token)) return false;
  return token.escaped || !/^(?:when|and|or)$/.test(token.text);
}

/** `x`, `_` or `(a, b)`. */
export function parseDesignation(p: Cursor): Designation {
  const { start, end, text } = p.token;
  if (p.is("(")) {
    p.enter();
    const opener = p.index;
    p.next();
    const elements: Designation[] = [];
    do elements.push(parseDesignation(p));
    while (p.take(","));
    p.close(opener, ")");
    p.leave();
    return { kind: "tupleDesignation", elements, ...spanFrom(p, start) };
  }
  if (p.isWord("_")) {
    p.next();
    return { kind: "discardDesignation", start, end };
  }
  if (p.is("identifier")) {
    p.next();
    return { kind: "singleDesignation", name: text, start, end };
  }
  p.errorAt("expectedName", p.lastEnd, p.lastEnd);
  return { kind: "discardDesignation", start, end: start };
}

function missingPattern(p: Cursor): Pattern {
  const at = { start: p.lastEnd, end: p.lastEnd };
  return { kind: "constantPattern", expression: { kind: "missing", ...at }, ...at };
}
