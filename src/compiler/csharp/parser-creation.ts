/** Everything that starts with `new`, and initializers in braces. */
import type { Cursor } from "./parser-cursor.ts";
import { missingExpression, parseArguments, parseExpression, spanFrom } from "./parser-expressions.ts";
import { parseCreatedType } from "./parser-types.ts";
import type {
  AnonymousMember,
  ArrayInitializerExpression,
  ElementInitializer,
  Expression,
  IndexInitializer,
  Initializer,
  MemberInitializer,
  TypeNode,
} from "./tree.ts";

export function parseNew(p: Cursor): Expression {
  const { start, end } = p.next();
  if (p.is("{")) return parseAnonymousObject(p, start);
  if (p.is("[") && (p.peek(1).kind === "]" || p.peek(1).kind === ",")) return parseImplicitArray(p, start);
  if (p.is("(") && !isTupleArray(p)) {
    p.newer("new without a type", "9", start, end);
    return finishNew(p, null, start);
  }
  const type = parseCreatedType(p);
  if (type.kind === "missingType") return { kind: "missing", ...spanFrom(p, start) };
  return p.is("[") ? parseArrayCreation(p, type, start) : finishNew(p, type, start);
}

/** `new (int, string)[2]`: the parentheses are a type. */
function isTupleArray(p: Cursor): boolean {
  const partner = p.partners[p.index]!;
  return (
    partner > 0 && p.tokens[partner + 1]!.kind === "[" && p.peek(1).kind !== ")" && looksLikeTypes(p, partner)
  );
}

function looksLikeTypes(p: Cursor, partner: number): boolean {
  for (let i = p.index + 1; i < partner; i++) {
    if (p.tokens[i]!.kind === "literal" || p.tokens[i]!.kind === "(") return false;
  }
  return true;
}

function finishNew(p: Cursor, type: TypeNode | null, start: number): Expression {
  const args = p.is("(") ? parseArguments(p, ")") : null;
  const initializer = p.is("{") ? parseInitializer(p) : null;
  if (args === null && initializer === null) p.errorAt("newWithoutArguments", p.lastEnd, p.lastEnd);
  return { kind: "new", type, arguments: args, initializer, ...spanFrom(p, start) };
}

// ── Arrays ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `new[] { … }`, `new[,] { … }`. */
function parseImplicitArray(p: Cursor, start: number): Expression {
  const rank = parseEmptyRank(p);
  if (!p.is("{")) {
    p.missing('"{"', "write new[] { a, b }");
    return { kind: "missing", ...spanFrom(p, start) };
  }
  const initializer = parseArrayInitializer(p);
  return { kind: "newImplicitArray", rank, initializer, ...spanFrom(p, start) };
}

/** `T[n]`, `T[a, b]`, `T[n][]`, `T[] { … }` behind `new`; the current token is the first `[`. */
function parseArrayCreation(p: Cursor, element: TypeNode, start: number): Expression {
  const isOpen = p.peek(1).kind === "]" || p.peek(1).kind === ",";
  const sizes: Expression[] = [];
  let rank: number;
  if (isOpen) {
    rank = parseEmptyRank(p);
  } else {
    for (const argument of parseArguments(p, "]")) sizes.push(argument.expression);
    rank = Math.max(1, sizes.length);
  }
  // Further brackets say what one cell holds; in C# they read from the outside in.
  const inner: number[] = [];
  while (p.is("[") && (p.peek(1).kind === "]" || p.peek(1).kind === ",")) inner.push(parseEmptyRank(p));
  let elementType = element;
  for (const r of inner.toReversed())
    elementType = { kind: "arrayType", element: elementType, rank: r, ...spanFrom(p, element.start) };
  const initializer = p.is("{") ? parseArrayInitializer(p) : null;
  if (isOpen && initializer === null) p.errorAt("arraySize", p.lastEnd, p.lastEnd);
  return { kind: "newArray", elementType, rank, sizes, initializer, ...spanFrom(p, start) };
}

function parseEmptyRank(p: Cursor): number {
  const opener = p.index;
  p.next();
  let rank = 1;
  while (p.take(",")) rank++;
  p.close(opener, "]");
  return rank;
}

/** `{ a, b }`, also nested and with a trailing comma. The current token is `{`. */
export function parseArrayInitializer(p: Cursor): ArrayInitializerExpression {
  p.enter();
  const { start } = p.token;
  const elements = parseList(p, () => (p.is("{") ? parseArrayInitializer(p) : parseExpression(p)));
  p.leave();
  return { kind: "arrayInitializer", elements, ...spanFrom(p, start) };
}

// ── Objects and collections ─────────────────────────────────────────────────────────────────────────────────────────

function parseInitializer(p: Cursor): Initializer {
  p.enter();
  const { start } = p.token;
  const members: (MemberInitializer | IndexInitializer)[] = [];
  const elements: ElementInitializer[] = [];
  parseList(p, () => {
    const isMember = p.is("[") || (p.is("identifier") && p.peek(1).kind === "=");
    if ((isMember ? elements : members).length > 0) p.error("mixedInitializer");
    if (isMember) members.push(p.is("[") ? parseIndexInitializer(p) : parseMemberInitializer(p));
    else elements.push(parseElementInitializer(p));
  });
  p.leave();
  const span = spanFrom(p, start);
  return elements.length > 0
    ? { kind: "collectionInitializer", elements, ...span }
    : { kind: "objectInitializer", members, ...span };
}

function parseMemberInitializer(p: Cursor): MemberInitializer {
  const { text, start, end } = p.next();
  p.next();
  const value = parseInitializerValue(p);
  return {
    kind: "memberInitializer",
    name: text,
    nameStart: start,
    nameEnd: end,
    value,
    ...spanFrom(p, start),
  };
}

function parseIndexInitializer(p: Cursor): IndexInitializer {
  const { start } = p.token;
  const args = parseArguments(p, "]");
  p.expect("=", 'write ["key"] = value');
  const value = parseInitializerValue(p);
  return { kind: "indexInitializer", arguments: args, value, ...spanFrom(p, start) };
}

function parseInitializerValue(p: Cursor): Expression | Initializer {
  return p.is("{") ? parseInitializer(p) : parseExpression(p);
}

function parseElementInitializer(p: Cursor): ElementInitializer {
  const { start } = p.token;
  if (p.is("literal") && (p.peek(1).kind === "=" || p.peek(1).kind === ":")) {
    p.error("expectedInstead", p.token, ['"["', p.describe()], 'write ["key"] = value');
    p.index += 2;
    parseInitializerValue(p);
    return { arguments: [{ kind: "missing", ...spanFrom(p, start) }], ...spanFrom(p, start) };
  }
  if (!p.is("{")) return { arguments: [parseExpression(p)], ...spanFrom(p, start) };
  const args = parseList(p, () => parseExpression(p));
  if (args.length === 0) missingExpression(p);
  return { arguments: args, ...spanFrom(p, start) };
}

// ── Anonymous objects ───────────────────────────────────────────────────────────────────────────────────────────────

function parseAnonymousObject(p: Cursor, start: number): Expression {
  const members = parseList(p, () => parseAnonymousMember(p));
  return { kind: "anonymousObject", members, ...spanFrom(p, start) };
}

function parseAnonymousMember(p: Cursor): AnonymousMember {
  const { start } = p.token;
  if (p.is("identifier") && p.peek(1).kind === "=") {
    const name = p.next().text;
    p.next();
    const expression = parseExpression(p);
    return { name, expression, ...spanFrom(p, start) };
  }
  if (p.is("literal") && p.peek(1).kind === ":") {
    p.error("anonymousName", p.token, [], 'names are written without quotes, and "=" before the value');
    p.index += 2;
    return { name: "", expression: parseExpression(p), ...spanFrom(p, start) };
  }
  if (p.is("identifier") && p.peek(1).kind === ":") {
    p.error("expectedInstead", p.peek(1), ['"="', '":"']);
    const name = p.next().text;
    p.next();
    return { name, expression: parseExpression(p), ...spanFrom(p, start) };
  }
  const expression = parseExpression(p);
  const name = impliedName(expression);
  if (name === null && expression.kind !== "missing")
    p.report("anonymousName", expression.start, expression.end);
  return { name: name ?? "", expression, ...spanFrom(p, start) };
}

/** `b`, `x.b` and `x?.b` name themselves. */
function impliedName(expression: Expression): string | null {
  switch (expression.kind) {
    case "name":
    case "member":
      return expression.typeArguments === null ? expression.name : null;
    case "conditionalAccess":
      return impliedName(expression.access);
    default:
      return null;
  }
}

// ── Lists in braces ─────────────────────────────────────────────────────────────────────────────────────────────────

/** `{ a, b, }`. The current token is `{`. */
function parseList<T>(p: Cursor, parseOne: () => T): T[] {
  const opener = p.index;
  p.next();
  const { noLambda } = p;
  p.noLambda = false;
  const items: T[] = [];
  while (!p.is("}") && !p.is("eof")) {
    const before = p.index;
    items.push(parseOne());
    if (!p.take(",") || p.index === before) break;
  }
  p.noLambda = noLambda;
  p.close(opener, "}");
  return items;
}
