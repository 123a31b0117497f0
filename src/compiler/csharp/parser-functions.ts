/** Local functions: `int F(int x, string s = "a") => …` or with a block. */
import type { Cursor } from "./parser-cursor.ts";
import { parseExpression, spanFrom } from "./parser-expressions.ts";
import { parseArrowBody } from "./parser-lambda.ts";
import { endStatement, parseBlock, recover } from "./parser-statements.ts";
import { parsePredefinedType, parseType } from "./parser-types.ts";
import type { BlockStatement, Expression, LocalFunctionStatement, Parameter } from "./tree.ts";

export function parseLocalFunction(p: Cursor): LocalFunctionStatement {
  const { start } = p.token;
  const isStatic = p.is("static");
  if (isStatic) {
    const { start: at, end } = p.next();
    p.newer("a static local function", "8", at, end);
  }
  const returnType = p.is("void") ? parsePredefinedType(p) : parseType(p);
  const { start: nameStart, end: nameEnd, text } = p.token;
  if (p.is("identifier")) p.next();
  else p.errorAt("expectedName", p.lastEnd, p.lastEnd);
  const typeParameters = p.is("<") ? parseTypeParameters(p) : [];
  const parameters = p.is("(") ? parseParameters(p) : [];
  if (p.isWord("where")) {
    p.outOfScope("a constraint");
    while (!p.is("{") && !p.is("=>") && !p.is(";") && !p.is("eof")) p.next();
  }
  const body = parseFunctionBody(p);
  const name = { name: text, nameStart, nameEnd };
  return {
    kind: "localFunction",
    isStatic,
    returnType,
    ...name,
    typeParameters,
    parameters,
    body,
    ...spanFrom(p, start),
  };
}

function parseFunctionBody(p: Cursor): Expression | BlockStatement {
  if (p.is("{")) return parseBlock(p);
  if (p.take("=>")) {
    const body = parseArrowBody(p);
    endStatement(p);
    return body;
  }
  p.missing("the body of the function", "write { … }, or => and a value");
  recover(p);
  return { kind: "missing", start: p.lastEnd, end: p.lastEnd };
}

function parseTypeParameters(p: Cursor): string[] {
  p.outOfScope("a generic local function");
  p.next();
  const names: string[] = [];
  do {
    if (p.is("identifier")) names.push(p.next().text);
  } while (p.take(","));
  p.take(">");
  return names;
}

function parseParameters(p: Cursor): Parameter[] {
  const opener = p.index;
  p.next();
  const parameters: Parameter[] = [];
  while (!p.is(")") && !p.is("eof")) {
    parameters.push(parseParameter(p));
    if (!p.take(",")) break;
    if (p.is(")")) p.error("expectedType");
  }
  p.close(opener, ")");
  return parameters;
}

function parseParameter(p: Cursor): Parameter {
  const { start, kind } = p.token;
  let modifier: Parameter["modifier"] = null;
  if (kind === "params" || kind === "out" || kind === "ref" || kind === "in") {
    if (kind === "ref" || kind === "in") p.outOfScope(`a ${kind} parameter`);
    modifier = kind;
    p.next();
  } else if (kind === "this") {
    p.outOfScope("an extension method");
    p.next();
  }
  const type = parseType(p);
  let name = "_";
  if (p.is("identifier")) name = p.next().text;
  else p.errorAt("expectedName", p.lastEnd, p.lastEnd, [], "every parameter has a type and a name");
  const defaultValue = p.take("=") ? parseExpression(p) : null;
  return { modifier, type, name, defaultValue, ...spanFrom(p, start) };
}
