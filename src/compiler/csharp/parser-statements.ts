/**
 * Statements. After a mistake the parser goes on at the next place where a statement can start: behind a `;`, before
 * a `}`, or at a keyword or line that looks like one, so that a document shows all its mistakes at once.
 */
import type { Cursor } from "./parser-cursor.ts";
import { quoted } from "./parser-cursor.ts";
import { declaredName, isTypeArguments } from "./parser-lookahead.ts";
import { parseArrayInitializer } from "./parser-creation.ts";
import {
  isDeclaration,
  missingExpression,
  parseDeclaration,
  parseExpression,
  parseParen,
  parseVariableType,
  spanFrom,
} from "./parser-expressions.ts";
import { parseLocalFunction } from "./parser-functions.ts";
import { parseSwitch, parseTry } from "./parser-branches.ts";
import { ASSIGNMENT_OPERATORS, KEYWORDS, PREDEFINED_TYPES } from "./tokens.ts";
import type {
  BlockStatement,
  DeclarationExpression,
  Declarator,
  Expression,
  LocalDeclarationStatement,
  Statement,
  TupleExpression,
} from "./tree.ts";

/** `{ … }`. The current token is `{`. */
export function parseBlock(p: Cursor): BlockStatement {
  const { start } = p.token;
  const opener = p.index;
  p.next();
  const { noLambda, queryDepth } = p;
  p.noLambda = false;
  p.queryDepth = 0;
  const statements = parseStatements(p, () => p.is("}"));
  p.noLambda = noLambda;
  p.queryDepth = queryDepth;
  p.close(opener, "}");
  return { kind: "block", statements, ...spanFrom(p, start) };
}

/** Statements up to the end of the source or to where `isEnd` says; always moves on. */
export function parseStatements(p: Cursor, isEnd: () => boolean): Statement[] {
  const statements: Statement[] = [];
  while (!p.is("eof") && !isEnd()) {
    const before = p.index;
    if (isClosing(p.kind)) {
      p.error("extraClosing", p.token, [quoted(p.kind)]);
      p.next();
      continue;
    }
    statements.push(parseStatement(p));
    if (p.index > before) continue;
    p.error("unexpected", p.token, [p.describe()]);
    p.next();
  }
  return statements;
}

function isClosing(kind: string): boolean {
  return kind === ")" || kind === "]" || kind === "}";
}

export function parseStatement(p: Cursor): Statement {
  p.enter();
  const statement = parseStatementInside(p);
  p.leave();
  return statement;
}

function parseStatementInside(p: Cursor): Statement {
  const { kind, start, end } = p.token;
  switch (kind) {
    case "{":
      return parseBlock(p);
    case ";":
      p.next();
      return { kind: "empty", start, end };
    case "if":
      return parseIf(p);
    case "for":
      return parseFor(p);
    case "foreach":
      return parseForeach(p);
    case "while":
      return parseWhile(p);
    case "do":
      return parseDo(p);
    case "switch":
      return parseSwitch(p);
    case "try":
      return parseTry(p);
    case "using":
      return parseUsing(p);
    case "return":
      return parseReturn(p);
    case "throw":
      return parseThrow(p);
    case "break":
    case "continue":
      p.next();
      endStatement(p);
      return { kind, ...spanFrom(p, start) };
    case "goto":
      return parseGoto(p);
    case "checked":
    case "unchecked":
      if (p.peek(1).kind !== "{") break;
      p.next();
      return {
        kind: "checkedStatement",
        checked: kind === "checked",
        block: parseBlock(p),
        ...spanFrom(p, start),
      };
    case "const":
      p.next();
      return parseLocalDeclaration(p, "const", start);
    case "static":
      if (!isStaticFunction(p)) break;
      return parseLocalFunction(p);
    case "void":
      return parseLocalFunction(p);
    case "else":
    case "catch":
    case "finally":
    case "case":
    case "default":
      if (kind === "default" && p.peek(1).kind !== ":") break;
      return parseOrphan(p);
  }
  if (isForeignStatement(p)) return skipForeign(p);
  return parseSimple(p);
}

// ── Declarations and expressions ────────────────────────────────────────────────────────────────────────────────────

/** Starts with a name, a type or a value: a declaration, a local function, a label or an expression. */
function parseSimple(p: Cursor): Statement {
  const { start } = p.token;
  if (p.is("identifier") && p.peek(1).kind === ":" && p.peek(2).kind !== ":") {
    const label = p.next().text;
    p.next();
    if (p.is("}") || p.is("eof")) p.missing("a statement");
    const statement: Statement =
      p.is("}") || p.is("eof") ? { kind: "empty", start: p.lastEnd, end: p.lastEnd } : parseStatement(p);
    return { kind: "labeled", label, statement, ...spanFrom(p, start) };
  }
  const name = declaredName(p, p.index);
  if (name >= 0) {
    const after = p.tokens[name + 1]!.kind;
    if (after === "(" || (after === "<" && isTypeArguments(p, name + 1))) return parseLocalFunction(p);
    return parseLocalDeclaration(p, null, start);
  }
  if (PREDEFINED_TYPES.has(p.kind) && p.peek(1).kind !== "." && !p.is("("))
    return parseNamelessDeclaration(p);
  return parseExpressionStatement(p);
}

/** `T a = x, b;` with `T` as current token. */
export function parseLocalDeclaration(
  p: Cursor,
  modifier: LocalDeclarationStatement["modifier"],
  start: number,
): LocalDeclarationStatement {
  const declaration = parseDeclarators(p, modifier, start);
  endStatement(p);
  return { ...declaration, ...spanFrom(p, start) };
}

/** A type keyword with something else than a name behind it: `int = 5;`, `string class = "x";`. */
function parseNamelessDeclaration(p: Cursor): LocalDeclarationStatement {
  return parseLocalDeclaration(p, null, p.start);
}

/** The declaration without its semicolon, as `for` and `using` need it. */
function parseDeclarators(
  p: Cursor,
  modifier: LocalDeclarationStatement["modifier"],
  start: number,
): LocalDeclarationStatement {
  const declaredAt = p.token;
  if (modifier === "const" && p.is("identifier") && p.peek(1).kind === "=") {
    p.errorAt(
      "expectedType",
      p.start,
      p.start,
      [],
      "write var; a constant needs its type, as in const int x = 1",
    );
    const missing = { kind: "missingType", start, end: start } as const;
    return {
      kind: "localDeclaration",
      modifier,
      type: missing,
      declarators: [parseDeclarator(p, modifier, false)],
      ...spanFrom(p, start),
    };
  }
  const type = parseVariableType(p);
  const isJavaScript = type.kind === "namedType" && declaredAt.text === "let" && type.parts.length === 1;
  if (isJavaScript) p.error("javascriptDeclaration", declaredAt, ["let", "write var"]);
  const declarators: Declarator[] = [];
  do declarators.push(parseDeclarator(p, modifier, type.kind === "varType"));
  while (p.take(","));
  return { kind: "localDeclaration", modifier, type, declarators, ...spanFrom(p, start) };
}

function parseDeclarator(
  p: Cursor,
  modifier: LocalDeclarationStatement["modifier"],
  isVar: boolean,
): Declarator {
  const { start, end, text, kind } = p.token;
  if (p.is("identifier")) p.next();
  else if (KEYWORDS.has(kind) && p.peek(1).kind === "=") {
    p.error("reservedName", p.token, [kind]);
    p.next();
  } else p.errorAt("expectedName", p.lastEnd, p.lastEnd);
  const initializer = p.take("=") ? parseVariableValue(p) : null;
  if (initializer === null && modifier === "const") p.report("constWithoutValue", start, end);
  else if (initializer === null && isVar) p.report("varWithoutValue", start, end);
  return { name: text, nameStart: start, nameEnd: end, initializer, ...spanFrom(p, start) };
}

function parseVariableValue(p: Cursor): Expression {
  if (p.is("ref")) {
    p.outOfScope("a ref local");
    p.next();
  }
  return p.is("{") ? parseArrayInitializer(p) : parseExpression(p);
}

function parseExpressionStatement(p: Cursor): Statement {
  const { start } = p.token;
  const reported = p.diagnostics.length;
  const expression = parseExpression(p);
  const isSilent = p.diagnostics.length > reported || isStatementExpression(expression);
  if (!isSilent) {
    // `@{ a + b }`: what is missing is not the semicolon.
    const isLast = p.is("eof") || (p.is(";") && p.peek(1).kind === "eof");
    p.errorAt(isLast ? "missingReturn" : "notAStatement", expression.start, expression.end);
    if (!p.take(";")) recover(p);
  } else endStatement(p);
  return { kind: "expressionStatement", expression, ...spanFrom(p, start) };
}

function isStatementExpression(expression: Expression): boolean {
  switch (expression.kind) {
    case "assignment":
    case "call":
    case "postfix":
    case "new":
    case "missing":
      return true;
    case "unary":
      return expression.operator === "++" || expression.operator === "--";
    case "conditionalAccess":
      return isStatementExpression(expression.access);
    default:
      return false;
  }
}

// ── The end of a statement ──────────────────────────────────────────────────────────────────────────────────────────

/** Takes the semicolon, or says that it is missing and looks for the next statement. */
export function endStatement(p: Cursor): void {
  if (p.take(";")) return;
  if (p.hasFailedHere) return recover(p);
  if (isClosing(p.kind) && p.partners[p.index] === -1 && !p.is("}")) {
    p.error("extraClosing", p.token, [quoted(p.kind)]);
    p.next();
    if (p.take(";")) return;
  } else if (p.is("eof") || p.is("}") || startsLine(p) || STATEMENT_WORDS.has(p.kind)) {
    p.missing('";"');
    return;
  } else {
    p.unexpected("expectedInstead", ['";"', p.describe()]);
  }
  recover(p);
}

/** Whether the current token is the first of its line. */
function startsLine(p: Cursor): boolean {
  return /[\r\n]/.test(p.source.slice(p.lastEnd, p.start));
}

const STATEMENT_WORDS = new Set(
  "if for foreach while do switch try using return throw break continue goto const case else catch finally".split(
    " ",
  ),
);

/** Skips to where a statement can start, over whole pairs of brackets. */
export function recover(p: Cursor): void {
  while (!p.is("eof") && !p.is("}")) {
    if (p.take(";")) return;
    if (STATEMENT_WORDS.has(p.kind)) return;
    if (startsLine(p) && (declaredName(p, p.index) >= 0 || looksLikeAssignment(p))) return;
    const partner = p.partners[p.index]!;
    if (partner > p.index) p.index = partner;
    p.next();
  }
}

function looksLikeAssignment(p: Cursor): boolean {
  return p.is("identifier") && ASSIGNMENT_OPERATORS.has(p.peek(1).kind);
}

// ── Conditions and bodies ───────────────────────────────────────────────────────────────────────────────────────────

/** `( condition )`. */
export function parseCondition(p: Cursor): Expression {
  const opener = p.index;
  if (!p.expect("(")) {
    const expression = parseExpression(p);
    p.take(")");
    return expression;
  }
  const expression = p.is(")") ? missingExpression(p) : parseExpression(p);
  if (expression.kind === "lambda") p.report("arrowMisuse", expression.start, expression.end);
  if (expression.kind === "assignment" && expression.operator === "=" && isConstant(expression.value)) {
    p.report("assignmentInCondition", expression.operatorStart, expression.operatorStart + 1);
  }
  p.close(opener, ")");
  return expression;
}

function isConstant(expression: Expression): boolean {
  return expression.kind === "literal" && expression.literal.type !== "bool";
}

/** A statement that may not be a declaration. */
export function parseBody(p: Cursor, owner: string): Statement {
  const { start, end } = p.token;
  if (p.is("}") || p.is("eof")) {
    p.missing("a statement");
    return { kind: "empty", start, end: start };
  }
  if (isClosing(p.kind) && p.partners[p.index] === -1) {
    p.error("extraClosing", p.token, [quoted(p.kind)]);
    p.next();
  }
  if (p.is(";") && owner === "if") {
    // `if (x); { … }` runs the block always; nobody means that.
    if (p.peek(1).kind === "{") p.error("emptyStatementBody", p.token, [owner]);
  }
  const statement = parseStatement(p);
  if (
    statement.kind === "localDeclaration" ||
    statement.kind === "localFunction" ||
    statement.kind === "labeled"
  ) {
    p.report("declarationAsBody", start, Math.max(end, statement.end), [`"${owner}"`]);
  }
  return statement;
}

function parseIf(p: Cursor): Statement {
  const { start } = p.next();
  const condition = parseCondition(p);
  if (p.isWord("then")) {
    p.error("unexpected", p.token, ['"then"'], "C# has no then: the statement follows the condition");
    p.next();
  }
  const then = parseBody(p, "if");
  if (
    p.token.kind === "identifier" &&
    /^(?:elseif|elsif|elif|ElseIf)$/.test(p.token.text) &&
    p.peek(1).kind === "("
  ) {
    p.error("wordOperator", p.token, ['"else if"']);
    const nested = parseIf(p);
    // oxlint-disable-next-line unicorn/no-thenable -- the word of the grammar; nobody awaits a tree
    return { kind: "if", condition, then, else: nested, ...spanFrom(p, start) };
  }
  const otherwise = p.take("else") ? parseBody(p, "else") : null;
  // oxlint-disable-next-line unicorn/no-thenable
  return { kind: "if", condition, then, else: otherwise, ...spanFrom(p, start) };
}

function parseWhile(p: Cursor): Statement {
  const { start } = p.next();
  const condition = parseCondition(p);
  const body = parseBody(p, "while");
  return { kind: "while", condition, body, ...spanFrom(p, start) };
}

function parseDo(p: Cursor): Statement {
  const { start } = p.next();
  const body = parseBody(p, "do");
  if (!p.expect("while")) {
    recover(p);
    return {
      kind: "do",
      body,
      condition: { kind: "missing", ...spanFrom(p, p.lastEnd) },
      ...spanFrom(p, start),
    };
  }
  const condition = parseCondition(p);
  endStatement(p);
  return { kind: "do", body, condition, ...spanFrom(p, start) };
}

// ── Loops ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function parseFor(p: Cursor): Statement {
  const { start } = p.next();
  const opener = p.index;
  if (!p.expect("(")) {
    recover(p);
    return { kind: "empty", ...spanFrom(p, start) };
  }
  if (isForIn(p)) return parseForIn(p, start, opener);
  const isDeclared = isDeclaration(p);
  const declaration = isDeclared ? parseDeclarators(p, null, p.start) : null;
  const initializers = isDeclared ? [] : parseExpressions(p, ";");
  p.expect(";", "the three parts of for are separated by semicolons");
  const condition = p.is(";") ? null : parseExpression(p);
  if (condition?.kind === "lambda") p.report("arrowMisuse", condition.start, condition.end);
  p.expect(";");
  const incrementors = parseExpressions(p, ")");
  p.close(opener, ")");
  for (const expression of [...initializers, ...incrementors]) {
    if (!isStatementExpression(expression)) p.report("notAStatement", expression.start, expression.end);
  }
  const body = parseBody(p, "for");
  return { kind: "for", declaration, initializers, condition, incrementors, body, ...spanFrom(p, start) };
}

function parseExpressions(p: Cursor, end: string): Expression[] {
  const expressions: Expression[] = [];
  if (p.is(end)) return expressions;
  do expressions.push(parseExpression(p));
  while (p.take(","));
  return expressions;
}

/** `for (var x in xs)` and `for (let x of xs)`. */
function isForIn(p: Cursor): boolean {
  const name = declaredName(p, p.index);
  if (name < 0) return false;
  const after = p.tokens[name + 1]!;
  return after.kind === "in" || (after.kind === "identifier" && after.text === "of");
}

function parseForIn(p: Cursor, start: number, opener: number): Statement {
  p.errorAt("javascriptFor", start, start + 3);
  const target = parseDeclaration(p);
  p.next();
  const source = parseExpression(p);
  p.close(opener, ")");
  const body = parseBody(p, "foreach");
  return { kind: "foreach", target, source, body, ...spanFrom(p, start) };
}

function parseForeach(p: Cursor): Statement {
  const { start } = p.next();
  const opener = p.index;
  if (!p.expect("(")) {
    recover(p);
    return { kind: "empty", ...spanFrom(p, start) };
  }
  const target = parseForeachTarget(p);
  if (p.isWord("of")) {
    p.error("expectedInstead", p.token, ['"in"', '"of"']);
    p.next();
  } else p.expect("in");
  const source = parseExpression(p);
  p.close(opener, ")");
  const body = parseBody(p, "foreach");
  return { kind: "foreach", target, source, body, ...spanFrom(p, start) };
}

function parseForeachTarget(p: Cursor): DeclarationExpression | TupleExpression {
  const { start } = p.token;
  if (isDeclaration(p)) return parseDeclaration(p);
  if (p.is("(")) {
    const tuple = parseParen(p);
    if (tuple.kind === "tuple") return tuple;
  }
  if (p.is("identifier") && p.peek(1).kind === "in") {
    // The type was forgotten.
    p.error("expectedType", { start, end: start }, [], "write foreach (var x in …)");
    const { text, end } = p.next();
    const designation = { kind: "singleDesignation", name: text, start, end } as const;
    return { kind: "declaration", type: { kind: "varType", start, end: start }, designation, start, end };
  }
  p.error("expectedType", { start, end: start }, [], "write foreach (var x in …)");
  const designation = { kind: "discardDesignation", start, end: start } as const;
  return {
    kind: "declaration",
    type: { kind: "missingType", start, end: start },
    designation,
    start,
    end: start,
  };
}

// ── Leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function parseReturn(p: Cursor): Statement {
  const { start } = p.next();
  if (p.is("ref")) {
    p.outOfScope("a ref return");
    p.next();
  }
  const isBare = p.is(";") || p.is("}") || p.is("eof");
  const expression = isBare ? null : parseExpression(p);
  endStatement(p);
  return { kind: "return", expression, ...spanFrom(p, start) };
}

function parseThrow(p: Cursor): Statement {
  const { start } = p.next();
  const expression = p.is(";") || p.is("}") ? null : parseExpression(p);
  endStatement(p);
  return { kind: "throwStatement", expression, ...spanFrom(p, start) };
}

function parseGoto(p: Cursor): Statement {
  const { start } = p.next();
  if (p.take("case")) {
    const value = parseExpression(p);
    endStatement(p);
    return { kind: "gotoCase", value, ...spanFrom(p, start) };
  }
  if (p.take("default")) {
    endStatement(p);
    return { kind: "gotoCase", value: null, ...spanFrom(p, start) };
  }
  let label = "";
  if (p.is("identifier")) label = p.next().text;
  else p.errorAt("expectedName", p.lastEnd, p.lastEnd);
  endStatement(p);
  return { kind: "goto", label, ...spanFrom(p, start) };
}

// ── using ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function parseUsing(p: Cursor): Statement {
  const { start, end } = p.next();
  if (!p.is("(")) {
    if (declaredName(p, p.index) >= 0) {
      p.newer("a using declaration", "8", start, end);
      return parseLocalDeclaration(p, "using", start);
    }
    p.errorAt("outOfScope", start, end, ["a using directive"], "the usual namespaces are already there");
    recover(p);
    return { kind: "empty", ...spanFrom(p, start) };
  }
  const opener = p.index;
  p.next();
  const resource = declaredName(p, p.index) >= 0 ? parseDeclarators(p, null, p.start) : parseExpression(p);
  p.close(opener, ")");
  const body = parseBody(p, "using");
  return { kind: "using", resource, body, ...spanFrom(p, start) };
}

// ── What does not belong here ───────────────────────────────────────────────────────────────────────────────────────

const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["lock", "lock"],
  ["unsafe", "unsafe"],
  ["fixed", "fixed"],
  ["class", "a class"],
  ["struct", "a struct"],
  ["interface", "an interface"],
  ["enum", "an enum"],
  ["delegate", "a delegate declaration"],
  ["namespace", "a namespace"],
  ["event", "an event"],
  ["extern", "extern"],
  ["ref", "a ref local"],
  ["public", "public"],
  ["private", "private"],
  ["protected", "protected"],
  ["internal", "internal"],
  ["static", "static"],
  ["abstract", "abstract"],
  ["sealed", "sealed"],
  ["readonly", "readonly"],
  ["volatile", "volatile"],
  ["virtual", "virtual"],
  ["override", "override"],
]);

function isForeignStatement(p: Cursor): boolean {
  if (FOREIGN.has(p.kind)) return true;
  if (p.is("[")) return true;
  if (p.isWord("yield")) return p.peek(1).kind === "return" || p.peek(1).kind === "break";
  if (p.isWord("async")) return p.peek(1).kind === "identifier" || p.peek(1).kind === "void";
  if (p.isWord("function")) return p.peek(1).kind === "identifier" && p.peek(2).kind === "(";
  return p.isWord("await") && p.peek(1).kind === "foreach";
}

/** Says what it is and skips it: up to a semicolon, or over one block. */
function skipForeign(p: Cursor): Statement {
  const { start, kind, text } = p.token;
  const what = FOREIGN.get(kind) ?? (kind === "[" ? "an attribute" : text);
  if (text === "function")
    p.error("javascriptDeclaration", p.token, ["function", "write type name(type parameter) { … }"]);
  else p.outOfScope(what);
  while (!p.is("eof") && !p.is("}")) {
    const isBlock = p.is("{");
    if (p.take(";")) break;
    const partner = p.partners[p.index]!;
    if (partner > p.index) p.index = partner;
    p.next();
    if (isBlock || kind === "[") break;
  }
  return { kind: "empty", ...spanFrom(p, start) };
}

const OWNERS: ReadonlyMap<string, string> = new Map([
  ["else", '"if"'],
  ["catch", '"try"'],
  ["finally", '"try"'],
  ["case", '"switch"'],
  ["default", '"switch"'],
]);

/** An `else` without `if`, a `case` outside a switch. */
function parseOrphan(p: Cursor): Statement {
  const { start, kind } = p.token;
  p.error("elseAlone", p.token, [`"${kind}"`, OWNERS.get(kind)!]);
  p.next();
  if (kind === "case" || kind === "default") {
    while (!p.is(":") && !p.is(";") && !p.is("}") && !p.is("eof")) p.next();
    p.take(":");
  } else if (p.is("(")) {
    p.index = Math.max(p.partners[p.index]! + 1, p.index + 1);
  }
  return p.is("{") ? parseBlock(p) : { kind: "empty", ...spanFrom(p, start) };
}

/** `static int F(` rather than a modifier of something foreign. */
function isStaticFunction(p: Cursor): boolean {
  if (p.peek(1).kind === "void") return true;
  const name = declaredName(p, p.index + 1);
  return name >= 0 && (p.tokens[name + 1]!.kind === "(" || p.tokens[name + 1]!.kind === "<");
}
