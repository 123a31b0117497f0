/**
 * Looking ahead without building anything: what is a type, what is a generic name, a cast, a lambda, a query?
 *
 * C# decides these by what follows, however far away (expressions.md §2.2). `typeEnd` and `typeArgumentsEnd` answer
 * with the index after the type; the answers are remembered per token, so that `a<a<a<a<…` and `((((…`, where every
 * position asks about all that follow, still take linear time.
 */
import type { Cursor } from "./parser-cursor.ts";
import { PREDEFINED_TYPES, type Token } from "./tokens.ts";

const MAX_TYPE_DEPTH = 64;
const UNKNOWN = 0;
const NONE = -1;

/** Index after the type that starts at `index`, or -1. A trailing `?` is taken as part of the type. */
export function typeEnd(p: Cursor, index: number, depth = 0): number {
  const known = p.typeEnds[index]!;
  if (known !== UNKNOWN) return known;
  const end = depth > MAX_TYPE_DEPTH ? NONE : suffixesEnd(p, coreTypeEnd(p, index, depth), true);
  p.typeEnds[index] = end;
  return end;
}

/** The same for `is`, `as` and patterns, where a `?` may belong to a conditional: it is left alone here. */
export function patternTypeEnd(p: Cursor, index: number): number {
  return suffixesEnd(p, coreTypeEnd(p, index, 0), false);
}

function coreTypeEnd(p: Cursor, index: number, depth: number): number {
  const token = p.tokens[index]!;
  if (PREDEFINED_TYPES.has(token.kind)) return index + 1;
  if (token.kind === "(") return tupleTypeEnd(p, index, depth);
  let at = index;
  if (token.kind === "identifier" && p.tokens[at + 1]!.kind === "::") at += 2;
  for (;;) {
    if (p.tokens[at]!.kind !== "identifier" || isQueryWord(p, p.tokens[at]!)) return NONE;
    at++;
    if (p.tokens[at]!.kind === "<") {
      const end = typeArgumentsEnd(p, at, depth);
      if (end === NONE) return at;
      at = end;
    }
    if (p.tokens[at]!.kind !== "." || p.tokens[at + 1]!.kind !== "identifier") return at;
    at++;
  }
}

function suffixesEnd(p: Cursor, end: number, withNullable: boolean): number {
  if (end === NONE) return NONE;
  for (;;) {
    const kind = p.tokens[end]!.kind;
    if (kind === "?" && withNullable) end++;
    else if (kind === "[") {
      let at = end + 1;
      while (p.tokens[at]!.kind === ",") at++;
      if (p.tokens[at]!.kind !== "]") return end;
      end = at + 1;
    } else return end;
  }
}

function tupleTypeEnd(p: Cursor, index: number, depth: number): number {
  let at = index + 1;
  for (let count = 1; ; count++) {
    at = typeEnd(p, at, depth + 1);
    if (at === NONE) return NONE;
    if (p.tokens[at]!.kind === "identifier") at++;
    const { kind } = p.tokens[at]!;
    at++;
    if (kind === ")") return count > 1 ? at : NONE;
    if (kind !== ",") return NONE;
  }
}

/** Index after `<A, B>` that starts at `index`, or -1. */
export function typeArgumentsEnd(p: Cursor, index: number, depth = 0): number {
  const known = p.typeArgumentEnds[index]!;
  if (known !== UNKNOWN) return known;
  const end = depth > MAX_TYPE_DEPTH ? NONE : typeListEnd(p, index, depth);
  p.typeArgumentEnds[index] = end;
  return end;
}

function typeListEnd(p: Cursor, index: number, depth: number): number {
  for (let at = index; ;) {
    at = typeEnd(p, at + 1, depth + 1);
    if (at === NONE) return NONE;
    const { kind } = p.tokens[at]!;
    if (kind === ">") return at + 1;
    if (kind !== ",") return NONE;
  }
}

/** C# specification §6.2.5, and the end of the source or of a hole. */
const AFTER_GENERIC_NAME = new Set("( ) ] } : ; , . ? == != | ^ && || & [ eof holeEnd holeFormat".split(" "));

/** Whether the `<` at `index`, right after a name in an expression, opens type arguments. */
export function isTypeArguments(p: Cursor, index: number): boolean {
  const end = typeArgumentsEnd(p, index);
  return end !== NONE && AFTER_GENERIC_NAME.has(p.tokens[end]!.kind);
}

/** Whether the `(` at the current token starts a cast. */
export function isCast(p: Cursor): boolean {
  const end = typeEnd(p, p.index + 1);
  if (end === NONE || p.tokens[end]!.kind !== ")") return false;
  const next = p.tokens[end + 1]!;
  const first = p.tokens[p.index + 1]!.kind;
  const last = p.tokens[end - 1]!.kind;
  // A keyword, an array or a nullable type cannot be a value in parentheses.
  const isSurelyType = PREDEFINED_TYPES.has(first) || last === "]" || last === "?";
  if (isSurelyType) return startsOperand(p, next) || next.kind === "++" || next.kind === "--";
  return startsOperand(p, next) && next.kind !== "-" && next.kind !== "+" && next.kind !== "^";
}

const OPERAND_MARKS = new Set("( ! ~ - + ^ literal interpolatedStart".split(" "));
const OPERAND_WORDS = new Set(
  "new typeof default checked unchecked sizeof this base throw delegate".split(" "),
);

/** Whether an operand of a unary operator can start with this token. */
export function startsOperand(p: Cursor, token: Token): boolean {
  if (token.kind === "identifier") return !isQueryWord(p, token) && !isPatternWord(token);
  return OPERAND_MARKS.has(token.kind) || OPERAND_WORDS.has(token.kind) || PREDEFINED_TYPES.has(token.kind);
}

/** `when`, `and` and `or` continue what stands before them where patterns are about. */
function isPatternWord(token: Token): boolean {
  return !token.escaped && (token.text === "when" || token.text === "and" || token.text === "or");
}

const QUERY_WORDS = new Set(
  "from where select group into orderby join let in on equals by ascending descending".split(" "),
);

/** Whether this identifier is a keyword because it stands in a query. */
export function isQueryWord(p: Cursor, token: Token): boolean {
  return p.queryDepth > 0 && !token.escaped && QUERY_WORDS.has(token.text);
}

/** Whether a lambda starts at the current token. */
export function isLambda(p: Cursor): boolean {
  if (p.noLambda) return false;
  let at = p.index;
  if ((p.is("static") || p.isWord("async")) && p.tokens[at + 1]!.kind !== "=>") at++;
  const { kind } = p.tokens[at]!;
  if (kind === "identifier") return p.tokens[at + 1]!.kind === "=>";
  const partner = p.partners[at]!;
  return kind === "(" && partner > 0 && p.tokens[partner + 1]!.kind === "=>";
}

/** Whether a query starts at the current token: `from x in` or `from T x in`. */
export function isQuery(p: Cursor): boolean {
  if (!p.isWord("from")) return false;
  if (p.peek(1).kind === "identifier" && p.peek(2).kind === "in") return true;
  const end = typeEnd(p, p.index + 1);
  return end !== NONE && p.tokens[end]!.kind === "identifier" && p.tokens[end + 1]!.kind === "in";
}

/** Index of the name when a declaration `T name` starts at `index`, or -1. */
export function declaredName(p: Cursor, index: number): number {
  const end = typeEnd(p, index);
  return end !== NONE && p.tokens[end]!.kind === "identifier" && !isQueryWord(p, p.tokens[end]!) ? end : NONE;
}
