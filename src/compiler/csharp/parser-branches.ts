/** `switch` and `try`, the statements with several blocks. */
import type { Cursor } from "./parser-cursor.ts";
import { parseExpression, spanFrom } from "./parser-expressions.ts";
import { parseCasePattern } from "./parser-patterns.ts";
import { parseBlock, parseCondition, parseStatements, recover } from "./parser-statements.ts";
import { parseType } from "./parser-types.ts";
import type { BlockStatement, CatchClause, Statement, SwitchLabel, SwitchSection } from "./tree.ts";

export function parseSwitch(p: Cursor): Statement {
  const { start } = p.next();
  const subject = parseCondition(p);
  const opener = p.index;
  if (!p.expect("{")) {
    recover(p);
    return { kind: "switch", subject, sections: [], ...spanFrom(p, start) };
  }
  const sections: SwitchSection[] = [];
  p.enter();
  while (!p.is("}") && !p.is("eof")) sections.push(parseSection(p));
  p.leave();
  p.close(opener, "}");
  const defaults = sections.flatMap((section) => section.labels).filter((label) => label.pattern === null);
  for (const extra of defaults.slice(1)) p.report("duplicateDefault", extra.start, extra.end);
  return { kind: "switch", subject, sections, ...spanFrom(p, start) };
}

function parseSection(p: Cursor): SwitchSection {
  const { start } = p.token;
  const labels: SwitchLabel[] = [];
  while (isLabel(p)) labels.push(parseLabel(p));
  if (labels.length === 0) p.error("sectionWithoutLabel");
  const statements = parseStatements(p, () => p.is("}") || isLabel(p));
  return { labels, statements, ...spanFrom(p, start) };
}

function isLabel(p: Cursor): boolean {
  return p.is("case") || (p.is("default") && p.peek(1).kind === ":");
}

function parseLabel(p: Cursor): SwitchLabel {
  const { start, kind } = p.next();
  const pattern = kind === "default" ? null : parseCasePattern(p);
  const guard = pattern !== null && p.takeWord("when") ? parseExpression(p) : null;
  if (p.is(";") || p.is("=>")) {
    p.error("expectedInstead", p.token, ['":"', `"${p.kind}"`]);
    p.next();
  } else p.expect(":");
  return { pattern, guard, ...spanFrom(p, start) };
}

export function parseTry(p: Cursor): Statement {
  const { start, end } = p.next();
  const block = parseRequiredBlock(p);
  const catches: CatchClause[] = [];
  while (p.is("catch")) {
    const previous = catches.at(-1);
    if (previous !== undefined && previous.type === null && previous.filter === null) p.error("catchOrder");
    catches.push(parseCatch(p));
  }
  const final = p.take("finally") ? parseRequiredBlock(p) : null;
  if (catches.length === 0 && final === null) p.errorAt("tryAlone", start, end);
  return { kind: "try", block, catches, finally: final, ...spanFrom(p, start) };
}

function parseCatch(p: Cursor): CatchClause {
  const { start } = p.next();
  let type: CatchClause["type"] = null;
  let name: string | null = null;
  let nameStart = p.lastEnd;
  if (p.is("identifier") && !p.isWord("when")) {
    p.missing('"("', "write catch (Exception e)");
    type = parseType(p);
    if (p.is("identifier")) name = p.next().text;
    p.take(")");
  } else if (p.is("(")) {
    const opener = p.index;
    p.next();
    type = parseType(p);
    if (p.is("identifier")) {
      nameStart = p.start;
      name = p.next().text;
    }
    p.close(opener, ")");
  }
  const filter = p.takeWord("when") ? parseCondition(p) : null;
  const block = parseRequiredBlock(p);
  return { type, name, nameStart, filter, block, ...spanFrom(p, start) };
}

/** `{ … }`, where a single statement is not enough. */
function parseRequiredBlock(p: Cursor): BlockStatement {
  if (p.is("{")) return parseBlock(p);
  p.missing('"{"');
  return { kind: "block", statements: [], start: p.lastEnd, end: p.lastEnd };
}
