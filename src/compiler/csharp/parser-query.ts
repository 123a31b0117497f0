/** Query expressions: `from x in xs where … orderby … select …` (C# specification §12.20). */
import type { Cursor } from "./parser-cursor.ts";
import { parseExpression, spanFrom } from "./parser-expressions.ts";
import { parseType } from "./parser-types.ts";
import type {
  FromClause,
  GroupClause,
  JoinClause,
  LetClause,
  Ordering,
  OrderByClause,
  QueryBody,
  QueryClause,
  QueryExpression,
  SelectClause,
  TypeNode,
} from "./tree.ts";

export function parseQuery(p: Cursor): QueryExpression {
  p.enter();
  p.queryDepth++;
  const { start } = p.token;
  const from = parseFrom(p);
  const body = parseQueryBody(p);
  p.queryDepth--;
  p.leave();
  return { kind: "query", from, body, ...spanFrom(p, start) };
}

function parseQueryBody(p: Cursor): QueryBody {
  p.enter();
  const { start } = p.token;
  const clauses: QueryClause[] = [];
  for (let clause; (clause = parseClause(p)) !== null;) clauses.push(clause);
  const final = parseFinal(p);
  let continuation: QueryBody["continuation"] = null;
  if (p.isWord("into")) {
    const { start: from } = p.next();
    const name = parseRangeName(p);
    const body = parseQueryBody(p);
    continuation = { name, body, ...spanFrom(p, from) };
  }
  p.leave();
  return { clauses, final, continuation, ...spanFrom(p, start) };
}

function parseClause(p: Cursor): QueryClause | null {
  if (p.isWord("from")) return parseFrom(p);
  if (p.isWord("let")) return parseLet(p);
  if (p.isWord("join")) return parseJoin(p);
  if (p.isWord("orderby")) return parseOrderBy(p);
  if (!p.isWord("where")) return null;
  const { start } = p.next();
  const condition = parseExpression(p);
  return { kind: "where", condition, ...spanFrom(p, start) };
}

function parseFrom(p: Cursor): FromClause {
  const { start } = p.next();
  const { type, name } = parseRangeVariable(p);
  p.expect("in");
  const source = parseExpression(p);
  return { kind: "from", type, name, source, ...spanFrom(p, start) };
}

function parseLet(p: Cursor): LetClause {
  const { start } = p.next();
  const name = parseRangeName(p);
  p.expect("=");
  const value = parseExpression(p);
  return { kind: "let", name, value, ...spanFrom(p, start) };
}

function parseJoin(p: Cursor): JoinClause {
  const { start } = p.next();
  const { type, name } = parseRangeVariable(p);
  p.expect("in");
  const source = parseExpression(p);
  expectWord(p, "on");
  const outerKey = parseExpression(p);
  expectWord(p, "equals");
  const innerKey = parseExpression(p);
  const into = p.takeWord("into") ? parseRangeName(p) : null;
  return { kind: "join", type, name, source, outerKey, innerKey, into, ...spanFrom(p, start) };
}

function parseOrderBy(p: Cursor): OrderByClause {
  const { start } = p.next();
  const orderings: Ordering[] = [];
  do {
    const { start: from } = p.token;
    const expression = parseExpression(p);
    const descending = p.takeWord("descending");
    if (!descending) p.takeWord("ascending");
    orderings.push({ expression, descending, ...spanFrom(p, from) });
  } while (p.take(","));
  return { kind: "orderBy", orderings, ...spanFrom(p, start) };
}

function parseFinal(p: Cursor): SelectClause | GroupClause {
  const { start } = p.token;
  if (p.takeWord("select")) {
    const expression = parseExpression(p);
    return { kind: "select", expression, ...spanFrom(p, start) };
  }
  if (p.takeWord("group")) {
    const element = parseExpression(p);
    expectWord(p, "by");
    const key = parseExpression(p);
    return { kind: "group", element, key, ...spanFrom(p, start) };
  }
  p.errorAt("queryEnd", p.lastEnd, p.lastEnd);
  const nothing = { start: p.lastEnd, end: p.lastEnd };
  return { kind: "select", expression: { kind: "missing", ...nothing }, ...nothing };
}

/** `x` or `T x`. */
function parseRangeVariable(p: Cursor): { type: TypeNode | null; name: string } {
  const isBare = p.is("identifier") && p.peek(1).kind === "in";
  const type = isBare ? null : parseType(p);
  return { type, name: parseRangeName(p) };
}

function parseRangeName(p: Cursor): string {
  if (p.is("identifier")) return p.next().text;
  p.errorAt("expectedName", p.lastEnd, p.lastEnd);
  return "_";
}

function expectWord(p: Cursor, word: string): void {
  if (!p.takeWord(word)) p.missing(`"${word}"`);
}
