/** `x => e`, `(x, y) => e`, `(int x) => { … }`. */
import type { Cursor } from "./parser-cursor.ts";
import { declaredName } from "./parser-lookahead.ts";
import { parseExpressionOrThrow, spanFrom } from "./parser-expressions.ts";
import { parseBlock } from "./parser-statements.ts";
import { parseType } from "./parser-types.ts";
import type { BlockStatement, Expression, LambdaExpression, LambdaParameter } from "./tree.ts";

/** `isLambda` has said that one starts here. */
export function parseLambda(p: Cursor): LambdaExpression {
  p.enter();
  const { start } = p.token;
  if (p.is("static")) {
    const { start: at, end } = p.next();
    p.newer("a static lambda", "9", at, end);
  } else if (p.isWord("async") && p.peek(1).kind !== "=>") {
    p.outOfScope("async");
    p.next();
  }
  const parameters = p.is("(") ? parseLambdaParameters(p) : [parseBareParameter(p)];
  p.expect("=>");
  const body = parseArrowBody(p);
  p.leave();
  return { kind: "lambda", parameters, body, ...spanFrom(p, start) };
}

/** What stands behind `=>`: a block or an expression, outside any pattern or query that the arrow stands in. */
export function parseArrowBody(p: Cursor): Expression | BlockStatement {
  const { noLambda } = p;
  p.noLambda = false;
  const body = p.is("{") ? parseBlock(p) : parseExpressionOrThrow(p);
  p.noLambda = noLambda;
  return body;
}

function parseBareParameter(p: Cursor): LambdaParameter {
  const { start, end, text } = p.next();
  return { type: null, name: text, start, end };
}

function parseLambdaParameters(p: Cursor): LambdaParameter[] {
  const opener = p.index;
  p.next();
  const parameters: LambdaParameter[] = [];
  while (!p.is(")") && !p.is("eof")) {
    parameters.push(parseLambdaParameter(p));
    if (!p.take(",")) break;
  }
  p.close(opener, ")");
  const typed = parameters.filter((parameter) => parameter.type !== null).length;
  if (typed !== 0 && typed !== parameters.length) {
    p.report("mixedParameters", p.tokens[opener]!.start, p.lastEnd);
  }
  return parameters;
}

function parseLambdaParameter(p: Cursor): LambdaParameter {
  const { start } = p.token;
  if (p.is("ref") || p.is("out") || p.is("in")) {
    p.outOfScope(`a ${p.kind} parameter of a lambda`);
    p.next();
  }
  const type = declaredName(p, p.index) >= 0 ? parseType(p) : null;
  if (!p.is("identifier")) {
    p.errorAt("expectedName", p.lastEnd, p.lastEnd);
    return { type, name: "_", ...spanFrom(p, start) };
  }
  const name = p.next().text;
  if (p.is("=")) p.outOfScope("a default value of a lambda parameter");
  return { type, name, ...spanFrom(p, start) };
}
